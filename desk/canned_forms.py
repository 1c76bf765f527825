"""The form of a canned reply: its owner, its text, its files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Agent, User
from accounts.rights import groups_of, websites_of
from conversations.canned import library, variables
from conversations.messages import decoder
from conversations.messages.file_refusals import Unacceptable
from conversations.messages.file_types import Prepared
from conversations.messages.validators import BODY_LIMIT
from conversations.models import CannedFile, CannedReply
from core.asgi.files import UPLOAD_BYTES, too_large
from core.text import search_languages

OWN = "own"

if TYPE_CHECKING:  # generic for the stubs only
    _Form = forms.ModelForm[CannedReply]
else:
    _Form = forms.ModelForm


class ManyFilesInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """Any number of files, each checked like other attachments: the content decides."""

    widget = ManyFilesInput

    def clean(self, data: Any, initial: Any = None) -> list[Prepared]:
        files: Sequence[UploadedFile] = data or []
        return [self._prepared(file) for file in files]

    def _prepared(self, file: UploadedFile) -> Prepared:
        if (file.size or 0) > UPLOAD_BYTES:
            raise forms.ValidationError(f"{file.name}: {too_large().text}")
        try:
            return decoder.prepare_bytes(file.read(), file.name or "")
        except Unacceptable as unacceptable:
            reason = decoder.sentence(unacceptable)
            raise forms.ValidationError(f"{file.name}: {reason}") from None


class CannedReplyForm(_Form):
    """``owners`` are the owners that ``user`` may choose; there are no others."""

    owner = forms.ChoiceField(label=gettext_lazy("Available to"))
    shortcut = forms.CharField(
        max_length=30,
        required=False,
        validators=[
            RegexValidator(
                r"^[\w-]+$",
                gettext_lazy("A shortcut must be one word of letters, digits or hyphens."),
            )
        ],
    )
    body = forms.CharField(
        max_length=BODY_LIMIT,
        required=False,
        widget=forms.Textarea,
    )
    added = ManyFilesField(required=False)
    removed = forms.ModelMultipleChoiceField(queryset=CannedFile.objects.none(), required=False)

    class Meta:
        model = CannedReply
        fields = ("name", "shortcut", "folder", "language", "body")

    def __init__(self, *args: Any, user: User, agent: Agent | None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.agent = agent
        self.owners = owners(user, agent)
        owner = self.fields["owner"]
        assert isinstance(owner, forms.ChoiceField)
        owner.choices = [(key, label) for key, label, _values in self.owners]
        self.fields["language"] = forms.ChoiceField(
            required=False, choices=[("", _("All languages")), *search_languages.choices()]
        )
        removed = self.fields["removed"]
        assert isinstance(removed, forms.ModelMultipleChoiceField)
        if self.instance.pk:
            removed.queryset = self.instance.files.all()
            self.initial["owner"] = key_of(self.instance)

    def clean_shortcut(self) -> str:
        return str(self.cleaned_data["shortcut"]).lower()

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"]).strip()
        strangers = variables.unknown(body)
        if strangers:
            names = ", ".join(f"{{{name}}}" for name in strangers)
            raise forms.ValidationError(
                ngettext(
                    "Unknown variable: %(names)s. Choose from the list below the text.",
                    "Unknown variables: %(names)s. Choose from the list below the text.",
                    len(strangers),
                ),
                params={"names": names},
            )
        return body

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        chosen = next((row for row in self.owners if row[0] == cleaned.get("owner")), None)
        if chosen:
            for name, value in chosen[2].items():
                setattr(self.instance, name, value)
        self._check_files(cleaned)
        if chosen and cleaned.get("shortcut") and self._is_taken(cleaned, chosen[2]):
            self.add_error("shortcut", _("Another reply already uses this shortcut."))
        return cleaned

    def _check_files(self, cleaned: dict[str, Any]) -> None:
        if "added" not in cleaned or "removed" not in cleaned:
            return
        stored = self.instance.files.count() if self.instance.pk else 0
        count = stored - len(cleaned["removed"]) + len(cleaned["added"])
        if count > library.FILES_LIMIT:
            text = _("You can attach up to %(n)d files to a reply.") % {"n": library.FILES_LIMIT}
            self.add_error("added", text)
        if not cleaned.get("body") and "body" not in self.errors and count < 1:
            self.add_error("body", _("Enter text or attach a file."))

    def _is_taken(self, cleaned: dict[str, Any], owner: dict[str, int | None]) -> bool:
        same = CannedReply.objects.filter(
            shortcut=cleaned["shortcut"], language=cleaned.get("language", ""), **owner
        )
        return same.exclude(pk=self.instance.pk).exists()


Owner = tuple[str, str, dict[str, int | None]]


def owners(user: User, agent: Agent | None) -> list[Owner]:
    """Return the owners that ``user`` may choose: key, name, and the columns they stand for."""
    allowed: list[Owner] = []
    nobody: dict[str, int | None] = {"agent_id": None, "group_id": None, "website_id": None}
    if agent is not None:
        allowed.append((OWN, _("Only me"), nobody | {"agent_id": agent.pk}))
    for group in groups_of(user).select_related("website").order_by("website__name", "name"):
        label = _("Group %(name)s (%(website)s)") % {
            "name": group.name,
            "website": group.website.name,
        }
        allowed.append((f"group-{group.pk}", label, nobody | {"group_id": group.pk}))
    for website in websites_of(user).order_by("name"):
        label = _("Website %(name)s") % {"name": website.name}
        allowed.append((f"website-{website.pk}", label, nobody | {"website_id": website.pk}))
    return allowed


def key_of(reply: CannedReply) -> str:
    """Return the key of a reply's owner, as in ``owners``."""
    if reply.agent_id is not None:
        return OWN
    if reply.group_id is not None:
        return f"group-{reply.group_id}"
    return f"website-{reply.website_id}"


def meanings() -> list[tuple[str, str]]:
    """Return each variable and its meaning, for the page that explains them."""
    texts = {
        "visitor_name": _("the visitor's name"),
        "agent_name": _("your name, as shown to visitors"),
        "group_name": _("the conversation's group"),
        "website_name": _("the website's name"),
        "conversation_number": _("the conversation's number, such as #1042"),
        "page": _("the page on which the visitor is writing"),
    }
    return [(f"{{{name}}}", texts[name]) for name in variables.NAMES]
