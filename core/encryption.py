"""Secrets in the database: encrypted with keys derived from ``SECRET_KEY`` (docs/adr/0036).

A secret is encrypted with ``SECRET_KEY`` by AES-256-GCM and can be read with it and with each of
``SECRET_KEY_FALLBACKS``. Earlier versions used Fernet, which is read as well.
``manage.py reencrypt_secrets`` moves all of them to ``SECRET_KEY`` and AES-256-GCM.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.apps import apps
from django.conf import settings
from django.db import models, transaction
from django.db.models.query_utils import DeferredAttribute

MASK = "•••"
GCM = "gcm1:"
"""What a ciphertext of AES-256-GCM begins with; then nonce, text and tag in URL-safe Base64."""
NONCE_BYTES = 12


class Unreadable(Exception):
    """A secret that none of the installation's keys decrypts. The text names its purpose."""


@dataclass(frozen=True, slots=True)
class Secret:
    """An encrypted text. It shows itself as ``•••``; only ``reveal`` returns the text."""

    ciphertext: str
    purpose: str = field(compare=False)

    def reveal(self) -> str:
        """Return the text; raise ``Unreadable``. An empty secret is an empty text."""
        return decrypt(self.ciphertext, purpose=self.purpose)

    def __bool__(self) -> bool:
        return bool(self.ciphertext)

    def __str__(self) -> str:
        return MASK if self.ciphertext else ""

    def __repr__(self) -> str:
        return f"<Secret {self.purpose}: {self or 'empty'}>"


def signing_keys() -> list[str]:
    """Return the installation's keys: the one in use first, then those before it."""
    return [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]


def encrypt(text: str, *, purpose: str) -> str:
    """Return the ciphertext of ``text``; an empty text stays empty.

    ``purpose`` names what the secret is for. A ciphertext is readable for its purpose only, so a
    row cannot borrow the secret of another table.
    """
    if not text:
        return ""
    nonce = os.urandom(NONCE_BYTES)
    sealed = AESGCM(_key(settings.SECRET_KEY, purpose)).encrypt(
        nonce, text.encode(), _info(purpose)
    )
    return GCM + base64.urlsafe_b64encode(nonce + sealed).decode()


def decrypt(ciphertext: str, *, purpose: str) -> str:
    """Return the text, decrypted with any of the installation's keys; raise ``Unreadable``."""
    if not ciphertext:
        return ""
    for key in signing_keys():
        text = _opened(ciphertext, key, purpose)
        if text is not None:
            return text
    raise Unreadable(purpose)


def is_current(ciphertext: str, *, purpose: str) -> bool:
    """Return whether ``SECRET_KEY`` itself decrypts it, and by today's cipher."""
    is_todays = ciphertext.startswith(GCM)
    return is_todays and _opened(ciphertext, settings.SECRET_KEY, purpose) is not None


def _opened(ciphertext: str, key: str, purpose: str) -> str | None:
    """Return the text, or ``None`` if it was not encrypted with this key for this purpose."""
    derived = _key(key, purpose)
    try:
        if not ciphertext.startswith(GCM):
            # Written by an earlier version.
            token = Fernet(base64.urlsafe_b64encode(derived)).decrypt(ciphertext.encode())
            return token.decode()
        sealed = base64.urlsafe_b64decode(ciphertext.removeprefix(GCM))
        nonce, sealed = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        return AESGCM(derived).decrypt(nonce, sealed, _info(purpose)).decode()
    except (InvalidTag, InvalidToken, ValueError):
        return None


def _info(purpose: str) -> bytes:
    return f"causerie secret: {purpose}".encode()


@lru_cache(maxsize=64)
def _key(key: str, purpose: str) -> bytes:
    # Without a salt: ``SECRET_KEY`` is random already, and the purpose separates the derived keys.
    return HKDF(hashes.SHA256(), 32, salt=None, info=_info(purpose)).derive(key.encode())


class _Attribute(DeferredAttribute):
    """Turns a text that is assigned to the field into a ``Secret`` at once."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        instance.__dict__[self.field.attname] = self.field.to_python(value)


class EncryptedTextField(models.TextField):
    """A text that is stored encrypted. Reading it returns a ``Secret``; assign a plain text.

    It cannot be searched, because the same text has another ciphertext each time. In a form,
    ``None`` leaves it unchanged (``accounts.widgets.SecretField``).
    """

    descriptor_class = _Attribute

    def __init__(self, *args: Any, purpose: str, **options: Any) -> None:
        self.purpose = purpose
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "purpose": self.purpose}

    def to_python(self, value: Any) -> Any:
        # Expressions of the ORM, such as ``F``, are computed by the database.
        if value is None or isinstance(value, Secret) or hasattr(value, "resolve_expression"):
            return value
        return Secret(encrypt(str(value), purpose=self.purpose), self.purpose)

    def from_db_value(self, value: str | None, *_context: Any) -> Secret | None:
        return None if value is None else Secret(value, self.purpose)

    def get_prep_value(self, value: Any) -> Any:
        secret = self.to_python(value)
        return secret.ciphertext if isinstance(secret, Secret) else secret

    def get_lookup(self, lookup_name: str) -> Any:
        return super().get_lookup(lookup_name) if lookup_name == "isnull" else None

    def value_to_string(self, obj: models.Model) -> str:
        """Return the mask: a dump as JSON contains no secrets."""
        return str(self.value_from_object(obj))

    def save_form_data(self, instance: models.Model, data: Any) -> None:
        if data is not None:
            super().save_form_data(instance, data)


def encrypted_fields() -> Iterator[tuple[type[models.Model], EncryptedTextField]]:
    """Yield each encrypted field of the product with its model."""
    for model in apps.get_models():
        for column in model._meta.concrete_fields:
            if isinstance(column, EncryptedTextField):
                yield model, column


@dataclass(slots=True)
class Reencryption:
    """What ``reencrypt`` did, or would do: rows by field, and the rows that no key decrypts."""

    changed: dict[str, int] = field(default_factory=dict)
    unreadable: dict[str, list[Any]] = field(default_factory=dict)


def reencrypt(*, dry_run: bool = False) -> Reencryption:
    """Encrypt with ``SECRET_KEY`` whatever is encrypted with one of the keys before it. Each row is
    locked for itself, so that a secret that somebody saves meanwhile is not lost."""
    done = Reencryption()
    for model, column in encrypted_fields():
        label = f"{model._meta.label_lower}.{column.name}"
        done.changed[label] = 0
        # The base manager, because a default manager may hide rows.
        for pk in model._base_manager.order_by("pk").values_list("pk", flat=True):
            with transaction.atomic():
                row = model._base_manager.select_for_update().filter(pk=pk)
                secret = row.values_list(column.attname, flat=True).first()
                if not secret or is_current(secret.ciphertext, purpose=column.purpose):
                    continue
                try:
                    text = secret.reveal()
                except Unreadable:
                    done.unreadable.setdefault(label, []).append(pk)
                    continue
                if not dry_run:
                    row.update(**{column.attname: text})
                done.changed[label] += 1
    return done
