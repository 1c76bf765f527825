"""The secrets of authenticator apps and recovery codes, encrypted at rest (docs/adr/0036).

The library stores them inside a JSON column of its own, so they have no ``EncryptedTextField``.
"""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.db import transaction

from core import encryption
from core.encryption import Reencryption, Unreadable

PURPOSE = "mfa.authenticator.data"
KEYS = ("secret", "seed")
"""Where the column has the key of an app, and the seed of recovery codes."""


def encrypt(text: str) -> str:
    return encryption.encrypt(text, purpose=PURPOSE)


def decrypt(ciphertext: str) -> str:
    """Return the text; raise ``Unreadable`` if none of the installation's keys decrypts it."""
    return encryption.decrypt(ciphertext, purpose=PURPOSE)


def reencrypt(done: Reencryption, *, dry_run: bool) -> None:
    """Encrypt with ``SECRET_KEY`` what is encrypted with a key before it; add it to ``done``."""
    done.changed[PURPOSE] = 0
    for pk in Authenticator.objects.order_by("pk").values_list("pk", flat=True):
        with transaction.atomic():
            row = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if row is not None:
                _reencrypt_one(row, done, dry_run=dry_run)


def _reencrypt_one(row: Authenticator, done: Reencryption, *, dry_run: bool) -> None:
    for key in KEYS:
        before = row.data.get(key)
        if not before or encryption.is_current(before, purpose=PURPOSE):
            continue
        try:
            row.data[key] = encrypt(decrypt(before))
        except Unreadable:
            done.unreadable.setdefault(PURPOSE, []).append(row.pk)
            continue
        if not dry_run:
            row.save(update_fields=["data"])
        done.changed[PURPOSE] += 1
