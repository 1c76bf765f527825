"""Forms of the guided set-up: few fields, with sensible initial values."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Agent, User, Website
from routing.provisioning import FIRST_PLACES, FIRST_RETENTION_DAYS, FIRST_SLOTS

USERNAME_LIMIT = 30


def host_of(text: str) -> str:
    """Return the host of a pasted address, such as "https://www.example.com/shop"."""
    # Without "//", urlsplit takes the host for a path.
    netloc = urlsplit(text if "//" in text else f"//{text}").netloc.rpartition("@")[2].lower()
    if netloc.isascii():
        return netloc
    try:
        return netloc.encode("idna").decode("ascii")
    except UnicodeError:
        return netloc  # the model's validator reports what is wrong with it


class DomainsField(forms.CharField):
    """Hosts, one a line or separated in another way."""

    widget = forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "autocapitalize": "none"})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        words = re.split(r"[\s,;]+", str(value or "").strip())
        return list(dict.fromkeys(host_of(word) for word in words if word))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool((initial or []) != self.to_python(data))


class WebsiteForm(forms.ModelForm):  # type: ignore[type-arg]
    """Step 1: the brand's site."""

    domains = DomainsField(
        label=gettext_lazy("Domains of the site"),
        help_text=gettext_lazy(
            "One domain per line, as in the address bar: www.example.com. *.example.com "
            "includes all subdomains. The Messenger appears only on these domains."
        ),
        error_messages={
            "required": gettext_lazy(
                "Enter at least one domain. Without it, the Messenger does not appear on any page."
            )
        },
    )
    time_zone = forms.ChoiceField(label=gettext_lazy("Time zone"))

    class Meta:
        model = Website
        fields = ("name", "domains", "language", "time_zone", "accent", "retention_days")
        labels = {
            "name": gettext_lazy("Brand name"),
            "language": gettext_lazy("Site language"),
            "accent": gettext_lazy("Colour of the Messenger"),
            "retention_days": gettext_lazy("Keep conversations for (days)"),
        }
        help_texts = {
            "name": gettext_lazy("Visitors see this name at the top of the Messenger."),
            "retention_days": gettext_lazy(
                "Visitors and their conversations are deleted this long after their last "
                "conversation. Leave empty to keep them until someone erases them."
            ),
        }
        widgets = {"accent": forms.TextInput(attrs={"type": "color"})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zones: Any = self.fields["time_zone"]
        zones.choices = [(name, name.replace("_", " ")) for name in sorted(available_timezones())]
        if self.instance.pk is None:
            self.fields["retention_days"].initial = FIRST_RETENTION_DAYS


class GroupForm(forms.Form):
    """Step 2: the group that answers."""

    name = forms.CharField(
        label=gettext_lazy("Group name"),
        max_length=100,
        help_text=gettext_lazy(
            "Conversations wait for a group and are distributed among its members."
        ),
    )

    def __init__(self, *args: Any, taken: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken = taken

    def clean_name(self) -> str:
        return _free(
            self.cleaned_data["name"], self.taken, _("A group with this name already exists.")
        )


class RuleForm(forms.Form):
    """Step 3: the first rule (R205, R210)."""

    name = forms.CharField(label=gettext_lazy("Rule name"), max_length=100)
    places = forms.IntegerField(
        label=gettext_lazy("Places in the conversation queue"),
        min_value=0,
        max_value=100_000,
        initial=FIRST_PLACES,
        help_text=gettext_lazy(
            "How many conversations can wait. When all places are taken, the Messenger "
            "is no longer offered. 0 means live only, while an agent is free. Start with "
            "a small number and watch the reports."
        ),
    )

    def __init__(self, *args: Any, taken: set[str], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.taken = taken

    def clean_name(self) -> str:
        return _free(
            self.cleaned_data["name"], self.taken, _("A rule with this name already exists.")
        )


class ColleagueForm(forms.Form):
    """One colleague of step 4."""

    name = forms.CharField(label=gettext_lazy("First and last name"), max_length=60)
    email = forms.EmailField(label=gettext_lazy("E-mail address"), required=False)
    slots = forms.IntegerField(
        label=gettext_lazy("Slots"), min_value=1, max_value=100, initial=FIRST_SLOTS
    )

    def clean_email(self) -> str:
        email: str = self.cleaned_data["email"]
        if email and User.objects.filter(email__iexact=email).exists():
            raise ValidationError(_("An account with this address already exists."))
        return email

    @property
    def username(self) -> str:
        """Derived from the address or the name, with a number if it is taken."""
        email = self.cleaned_data["email"]
        wanted = email.partition("@")[0] or slugify(self.cleaned_data["name"]).replace("-", ".")
        wanted = re.sub(r"[^\w.+-]", "", wanted)[:USERNAME_LIMIT].lower() or "agent"
        taken = set(
            User.objects.filter(username__istartswith=wanted).values_list("username", flat=True)
        )
        candidate, number = wanted, 2
        while candidate.lower() in {name.lower() for name in taken}:
            candidate, number = f"{wanted}{number}", number + 1
        return candidate


class Colleagues(forms.BaseFormSet):  # type: ignore[type-arg]
    """The colleagues of step 4; no two of them share an address."""

    def clean(self) -> None:
        addresses: set[str] = set()
        for form in self.forms:
            email = getattr(form, "cleaned_data", {}).get("email", "").lower()
            if email and email in addresses:
                form.add_error("email", _("This address appears twice."))
            addresses.add(email)


class TeamForm(forms.Form):
    """Which existing agents answer here as well."""

    myself = forms.BooleanField(label=gettext_lazy("I also answer visitors"), required=False)
    known = forms.ModelMultipleChoiceField(
        label=gettext_lazy("Other agents"),
        queryset=Agent.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, known: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields["known"]
        field.queryset = known


ColleagueSet = forms.formset_factory(ColleagueForm, formset=Colleagues, extra=3, max_num=50)


def _free(name: str, taken: set[str], refusal: str) -> str:
    if name in taken:
        raise ValidationError(refusal)
    return name
