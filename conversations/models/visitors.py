"""Visitors, the persons behind them, and the proof of their consent."""

from __future__ import annotations

import uuid

from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.fields.json import KT
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from conversations.visitors.aliases import alias_of
from core.text.search_expressions import Words


class Person(models.Model):
    """The customer behind one or more visitors, known by a signed external id (C14)."""

    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="persons", verbose_name=_("website")
    )
    external_id = models.CharField(_("external id"), max_length=200)
    name = models.CharField(_("name"), max_length=100, blank=True)
    profile = models.JSONField(
        _("profile"),
        default=dict,
        blank=True,
        help_text=_("Signed customer data from the brand's server."),
    )
    claimed_email = models.CharField(
        max_length=254,
        blank=True,
        editable=False,
        help_text="The signed address that was last taken over as theirs (C66).",
    )
    created_at = models.DateTimeField(_("created at"))

    class Meta:
        verbose_name = _("person")
        verbose_name_plural = _("people")
        constraints = [
            models.UniqueConstraint(fields=["website", "external_id"], name="person_once"),
        ]
        indexes = [
            # desk.search: customers by external id and by signed address.
            GinIndex(Words(F("external_id")), name="persons_by_words"),
            GinIndex(Words(KT("profile__email")), name="persons_by_email"),
        ]

    def __str__(self) -> str:
        return self.external_id


class Visitor(models.Model):
    """One browser on a website, identified by a bearer token. Only its SHA-256 is stored.

    ``hidden_at`` and ``withdrawn_at`` are equal for all visitors of one person
    (``conversations.visitors.persons``).
    """

    public_id = models.UUIDField(_("identifier"), default=uuid.uuid4, unique=True, editable=False)
    website = models.ForeignKey(
        Website, on_delete=models.CASCADE, related_name="visitors", verbose_name=_("website")
    )
    person = models.ForeignKey(
        Person,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="visitors",
        verbose_name=_("person"),
    )
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    address_hash = models.CharField(
        max_length=64,
        blank=True,
        editable=False,
        help_text=_("Keyed hash of the IP address, if the website blocks IP addresses."),
    )
    name = models.CharField(_("name"), max_length=100, blank=True)
    language = models.CharField(_("language"), max_length=10)
    created_at = models.DateTimeField(_("created at"))
    hidden_at = models.DateTimeField(
        _("history hidden at"),
        null=True,
        help_text=_("Earlier messages are hidden in this visitor's Messenger."),
    )
    withdrawn_at = models.DateTimeField(
        null=True, help_text=_("When consent was withdrawn. Empty if it was given again.")
    )

    class Meta:
        verbose_name = _("visitor")
        verbose_name_plural = _("visitors")
        indexes = [
            # desk.search: visitors by name.
            GinIndex(Words(F("name")), name="visitors_by_words", condition=~Q(name="")),
        ]

    def __str__(self) -> str:
        return self.shown_name

    @property
    def shown_name(self) -> str:
        """The name, or the alias if they gave none. Shown to agents only (C67)."""
        return self.name or str(alias_of(self.public_id))

    @property
    def tint(self) -> int:
        """The number of the visitor's colour."""
        return alias_of(self.public_id).tint


class ConsentKind(models.TextChoices):
    GIVEN = "given", _("Given")
    WITHDRAWN = "withdrawn", _("Withdrawn")


class Consent(models.Model):
    """The proof that a visitor gave or withdrew consent, to which text and when. Append-only (R26).
    ``version`` counts the website's consent texts."""

    visitor = models.ForeignKey(Visitor, on_delete=models.CASCADE, related_name="consents")
    kind = models.CharField(
        _("kind"), max_length=9, choices=ConsentKind.choices, default=ConsentKind.GIVEN
    )
    version = models.PositiveIntegerField(_("text version"), default=1)
    language = models.CharField(_("language"), max_length=10)
    text = models.TextField(_("text"))
    text_sha256 = models.CharField(_("text hash"), max_length=64)
    given_at = models.DateTimeField(_("moment"))
    covers_mirroring = models.BooleanField(
        _("includes mirroring"),
        default=False,
        help_text=_("The consent text stated that agents can see the page."),
    )
    covers_stored_looks = models.BooleanField(
        _("includes stored looks"),
        default=False,
        help_text=_("The consent text stated that what agents see is stored."),
    )

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")

    def __str__(self) -> str:
        return f"{self.visitor_id} · {self.given_at:%Y-%m-%d %H:%M}"
