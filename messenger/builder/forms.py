"""The builder's form: a website's look, functions and texts in each language."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import transaction
from django.utils.translation import get_language_info
from django.utils.translation import gettext_lazy as _

from accounts.models import Website
from messenger.mail import addresses
from messenger.models import Sender
from messenger.website_texts import DEFAULTS, consent_of
from routing import changes

TEXT_LIMIT = 1000
# In the order in which a visitor meets them (C9): name, label, lines.
TEXTS = (
    ("greeting_live", _("Greeting when an agent is available"), 3),
    ("greeting_async", _("Greeting when an answer may take hours"), 3),
    ("greeting_closed", _("Greeting outside opening hours, when visitors can leave messages"), 3),
    ("out_of_hours", _("Outside opening hours"), 3),
    ("consent", _("Consent before the first message"), 4),
    ("consent_link", _("Address of your privacy policy"), 1),
    ("email_invitation", _("Invitation to leave an e-mail address"), 2),
    ("notification", _("Subject of the e-mail that announces an answer"), 1),
    ("closing", _("Closing message from an agent"), 2),
    ("over", _("Notice below a closed conversation"), 1),
    ("survey_csat", _("Survey: satisfaction"), 1),
    ("survey_nps", _("Survey: recommendation"), 1),
    ("survey_thanks", _("Survey: thank-you message"), 1),
)
LANGUAGES = [code for code, _name in settings.LANGUAGES]


class BuilderForm(forms.ModelForm):  # type: ignore[type-arg] # generic for the stubs only
    """One website as its Messenger shows it; an empty text stands for the default."""

    writes_mails = forms.BooleanField(
        label=_("E-mails to absent visitors"),
        required=False,
        help_text=_("Visitors can leave an address and are notified of answers."),
    )

    logo_url = forms.URLField(
        label=_("Logo address"), required=False, assume_scheme="https", max_length=200
    )

    jitsi_url = Website._meta.get_field("jitsi_url").formfield(assume_scheme="https")

    class Meta:
        model = Website
        fields = (
            "accent",
            "logo_url",
            "side",
            "takes_files",
            "stays_open",
            "mirroring",
            "mirrors_screen",
            "mirror_shows_inputs",
            "looks_stored_days",
            "calls",
            "visitors_share_screen",
            "agents_share_screen",
            "ring_seconds",
            "jitsi_url",
            "survey_csat",
            "survey_nps",
            "survey_comment",
        )
        widgets = {"accent": forms.TextInput(attrs={"type": "color"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["writes_mails"].initial = addresses.is_on(self.instance)
        self.consents_before = _consents(self.instance)
        for code in LANGUAGES:
            for name, label, lines in TEXTS:
                self.fields[f"{name}_{code}"] = _text_field(code, name, label, lines, self.instance)

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        texts = {code: dict(self.instance.texts.get(code) or {}) for code in LANGUAGES}
        for code, name, field in _fields():
            text = str(cleaned.get(field, "")).strip().replace("\r\n", "\n")
            texts[code].pop(name, None)
            if text:
                texts[code][name] = text
        self.instance.texts = {code: own for code, own in texts.items() if own}
        return cleaned

    def preview(self) -> Website:
        """Return the website with what was typed, as far as it is valid; nothing is saved."""
        self.is_valid()
        website: Website = self.instance
        return website

    @transaction.atomic
    def store(self) -> Website:
        """Save. A changed consent text is a new version, and visitors are asked again."""
        website: Website = self.instance
        if _consents(website) != self.consents_before:
            website.consent_version += 1
        website.save()
        Sender.objects.update_or_create(
            website=website,
            defaults={"is_on": self.cleaned_data["writes_mails"]},
            create_defaults={"is_on": self.cleaned_data["writes_mails"]},
        )
        changes.website_changed(website.pk)
        return website

    def languages(self) -> list[tuple[str, str, list[forms.BoundField]]]:
        """Return the code, name and fields of each language, for the page."""
        return [
            (
                code,
                get_language_info(code)["name_local"].capitalize(),
                [self[f"{name}_{code}"] for name, _label, _lines in TEXTS],
            )
            for code in LANGUAGES
        ]

    def looks(self) -> list[forms.BoundField]:
        return [self[name] for name in ("accent", "logo_url", "side")]

    def functions(self) -> list[forms.BoundField]:
        names = ("writes_mails", "takes_files", "stays_open", "mirroring")
        mirrored = ("mirrors_screen", "mirror_shows_inputs", "looks_stored_days")
        shares = ("visitors_share_screen", "agents_share_screen")
        calls = ("calls", *shares, "ring_seconds", "jitsi_url")
        asked = ("survey_csat", "survey_nps", "survey_comment")
        return [self[name] for name in (*names, *mirrored, *calls, *asked)]


def _text_field(code: str, name: str, label: Any, lines: int, website: Website) -> forms.CharField:
    default = DEFAULTS[code][name]
    attributes = {"rows": lines, "lang": code, "placeholder": default}
    widget: Any = forms.Textarea(attrs=attributes)
    if lines == 1:
        widget = forms.TextInput(attrs={"lang": code, "placeholder": default or "https://"})
    return forms.CharField(
        label=label,
        required=False,
        max_length=TEXT_LIMIT,
        initial=(website.texts.get(code) or {}).get(name, ""),
        widget=widget,
        validators=[_check_web] if name == "consent_link" else [],
    )


def _check_web(address: str) -> None:
    try:
        URLValidator(schemes=["https", "http"])(address)
    except ValidationError:
        raise ValidationError(_("Enter a full address: https://…")) from None


def _fields() -> Iterator[tuple[str, str, str]]:
    for code in LANGUAGES:
        for name, _label, _lines in TEXTS:
            yield code, name, f"{name}_{code}"


def _consents(website: Website) -> list[str]:
    return [consent_of(website, code) for code in LANGUAGES]
