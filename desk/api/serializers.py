"""Conversations and what belongs to them, as the API shows and reads them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from conversations.lifecycle.transitions import Status
from conversations.models import (
    CloseReason,
    Contact,
    Conversation,
    Event,
    Note,
    ReasonEvent,
    Tag,
)
from conversations.models.choices import DEADLINE_LABELS
from conversations.models.contacts import END_LABELS
from routing.waits.reasons import Explanation


class Empty(serializers.ChoiceField):
    """One of the choices, or empty: what a column that may be blank shows."""

    def __init__(self, choices: Any, **options: Any) -> None:
        super().__init__(choices, allow_blank=True, read_only=True, **options)


class MarkSerializer(serializers.ModelSerializer[Tag]):
    """A tag on a conversation."""

    class Meta:
        model = Tag
        fields = ("id", "name")
        read_only_fields = fields


class ConversationSerializer(serializers.ModelSerializer[Conversation]):
    """A conversation. ``number`` is the number that agents see."""

    number = serializers.IntegerField(source="pk", read_only=True)
    website = serializers.SlugRelatedField[Any](slug_field="key", read_only=True)
    group = serializers.SlugRelatedField[Any](slug_field="name", read_only=True, allow_null=True)
    agent = serializers.SlugRelatedField[Any](
        slug_field="display_name", read_only=True, allow_null=True
    )
    group_id = serializers.IntegerField(read_only=True, allow_null=True)
    agent_id = serializers.IntegerField(read_only=True, allow_null=True)
    visitor = serializers.SlugRelatedField[Any](slug_field="public_id", read_only=True)
    customer = serializers.SerializerMethodField(
        help_text="Your own id for the customer. Null if the visitor is unknown."
    )
    page_url = serializers.CharField(read_only=True, help_text="Empty if unknown.")
    tags = serializers.SerializerMethodField()
    deadline_kind = Empty(list(DEADLINE_LABELS.items()), help_text="Empty without a deadline.")
    close_reason = Empty(CloseReason.choices, help_text="Empty until it is closed.")

    class Meta:
        model = Conversation
        fields = (
            *("number", "website", "status", "channel", "style", "language"),
            *("is_asynchronous", "is_return", "group", "group_id", "agent", "agent_id"),
            *("visitor", "customer", "required_skills", "page_url", "last_seq"),
            *("opened_at", "queued_at", "moved_at", "closed_at"),
            *("deadline_at", "deadline_kind", "close_reason", "tags"),
            *("imported_from", "imported_id"),
        )
        read_only_fields = fields

    @extend_schema_field(MarkSerializer(many=True))
    def get_tags(self, row: Conversation) -> Any:
        tags = sorted((mark.tag for mark in row.tag_marks.all()), key=lambda tag: tag.pk)
        return MarkSerializer(tags, many=True).data

    def get_customer(self, row: Conversation) -> str | None:
        return row.visitor.person.external_id if row.visitor.person else None


class MessageSerializer(serializers.Serializer[Any]):
    """A message. ``seq`` numbers the messages of a conversation without gaps."""

    seq = serializers.IntegerField()
    id = serializers.UUIDField()
    author = serializers.ChoiceField(choices=["visitor", "agent", "bot", "system"])
    name = serializers.CharField(help_text="Of the agent or the bot; empty for others.")
    body = serializers.CharField()
    at = serializers.DateTimeField()
    attachment = serializers.DictField(required=False)
    offer = serializers.DictField(required=False)


class TemplateSerializer(serializers.Serializer[Any]):
    """A text that the provider of a channel has approved. `text` has places such as {{1}}."""

    name = serializers.CharField()
    language = serializers.CharField()
    text = serializers.CharField()
    places = serializers.ListField(child=serializers.CharField())
    buttons = serializers.ListField(child=serializers.CharField())


class TemplateUseSerializer(serializers.Serializer[Any]):
    """A template, and what stands in its places."""

    name = serializers.CharField()
    language = serializers.CharField()
    values = serializers.DictField(child=serializers.CharField(), required=False)


class NewMessageSerializer(serializers.Serializer[Any]):
    """A message from an agent or a bot, with a file, choices and cards. A choice that the visitor
    presses comes back once, as their own message."""

    id = serializers.UUIDField(
        help_text="Your own id for the message. Sending it again changes nothing."
    )
    body = serializers.CharField(required=False, allow_blank=True)
    attachment = serializers.UUIDField(required=False, help_text="The id of an uploaded file.")
    choices = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="At most 8, each 80 characters."
    )
    cards = serializers.ListField(
        child=serializers.DictField(),
        required=False,
        help_text="At most 6: {title, text, image, links: [{text, url}]}; images from the "
        "website's own domains.",
    )
    template = TemplateUseSerializer(
        required=False,
        help_text="Instead of everything else: a text that the provider of the channel approved.",
    )


class NewConversationSerializer(serializers.Serializer[Any]):
    """The first message of a known visitor."""

    id = serializers.UUIDField(help_text="Your own id for the message, as for later ones.")
    visitor = serializers.UUIDField(help_text="The Messenger's id for the browser.")
    body = serializers.CharField()
    page_url = serializers.CharField(required=False, allow_blank=True, default="")
    language = serializers.CharField(
        required=False, max_length=10, help_text="Defaults to the visitor's."
    )


class NoteSerializer(serializers.ModelSerializer[Note]):
    """A note for the team; visitors never see it. ``@name`` mentions a colleague."""

    agent = serializers.SlugRelatedField[Any](
        slug_field="display_name", read_only=True, allow_null=True
    )
    at = serializers.DateTimeField(source="created_at", read_only=True)

    class Meta:
        model = Note
        fields = ("id", "agent", "body", "at")
        read_only_fields = ("id",)


class EventSerializer(serializers.ModelSerializer[Event]):
    """A line of the ledger: what happened, when, and by whom."""

    conversation = serializers.IntegerField(source="conversation_id")
    by = serializers.CharField(source="actor_kind")
    name = serializers.SerializerMethodField(help_text="Of the user who did it; null for others.")
    status = serializers.CharField(source="to_status")
    agent_id = serializers.IntegerField(read_only=True, allow_null=True)
    group_id = serializers.IntegerField(read_only=True, allow_null=True)
    agent = serializers.SlugRelatedField[Any](
        slug_field="display_name", read_only=True, allow_null=True
    )
    group = serializers.SlugRelatedField[Any](slug_field="name", read_only=True, allow_null=True)
    reason = serializers.SerializerMethodField(help_text="Why it left the desk; null otherwise.")

    class Meta:
        model = Event
        fields = (
            *("id", "conversation", "verb", "at", "by", "name", "status"),
            *("agent", "agent_id", "group", "group_id", "deadline_at", "reason"),
        )
        read_only_fields = fields

    def get_name(self, event: Event) -> str | None:
        names: dict[int, str] = self.context.get("names", {})
        return names.get(event.actor_user_id or 0)

    def get_reason(self, event: Event) -> str | None:
        reason: str | None = event.data.get("end_reason")
        return reason


class TaggingSerializer(serializers.Serializer[Any]):
    """Tags to add, by their numbers."""

    tags = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        allow_empty=False,
        max_length=20,
        help_text="Of the conversation's website, and not archived.",
    )


class ReasonEventSerializer(serializers.ModelSerializer[ReasonEvent]):
    """A line of the record of tags: what changed, when, and by whom. `before` and `after` are
    names at that time."""

    by = serializers.CharField(source="actor_kind")
    name = serializers.SerializerMethodField(help_text="Of the user who did it; null for others.")
    tag_id = serializers.IntegerField(read_only=True, allow_null=True)

    class Meta:
        model = ReasonEvent
        fields = ("id", "kind", "at", "by", "name", "tag_id", "before", "after")
        read_only_fields = fields

    def get_name(self, event: ReasonEvent) -> str | None:
        names: dict[int, str] = self.context.get("names", {})
        return names.get(event.actor_user_id or 0)


class ContactSerializer(serializers.ModelSerializer[Contact]):
    """The time that a conversation spent on one agent's desk."""

    agent = serializers.SlugRelatedField[Any](
        slug_field="display_name", read_only=True, allow_null=True
    )
    group = serializers.SlugRelatedField[Any](slug_field="name", read_only=True, allow_null=True)

    group_id = serializers.IntegerField(read_only=True, allow_null=True)
    end_reason = Empty(list(END_LABELS.items()), help_text="Empty while it lasts.")

    class Meta:
        model = Contact
        fields = (
            *("id", "agent", "agent_id", "group", "group_id", "channel"),
            *("began_to_wait_at", "started_at", "ended_at", "end_reason"),
        )
        read_only_fields = fields


class FillSerializer(serializers.Serializer[Any]):
    rule = serializers.CharField()
    group = serializers.CharField()
    places = serializers.IntegerField(allow_null=True)
    waiting = serializers.IntegerField()
    returned = serializers.IntegerField()


class ReasonSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    text = serializers.CharField()


class CandidateSerializer(serializers.Serializer[Any]):
    agent_id = serializers.IntegerField()
    name = serializers.CharField()
    is_able = serializers.BooleanField()
    reasons = ReasonSerializer(many=True)


class ExplanationSerializer(serializers.Serializer[Explanation]):
    """Why a conversation waits, as text in the language of the request and as data."""

    number = serializers.IntegerField()
    status = serializers.ChoiceField(choices=["queued", "assigned"])
    summary = serializers.CharField()
    is_fault = serializers.BooleanField(
        help_text="An agent is free, but the conversation still waits. The safety sweep pushes it."
    )
    rank = serializers.IntegerField()
    rank_text = serializers.CharField()
    waits_since = serializers.DateTimeField()
    queue = FillSerializer(source="fill")
    queue_text = serializers.CharField(source="fill_text", help_text="103/100, 3 returned")
    agents = CandidateSerializer(source="candidates", many=True)
    remedies = serializers.ListField(child=serializers.CharField())
    deadline_at = serializers.DateTimeField(allow_null=True)
    seconds_left = serializers.SerializerMethodField()

    def get_seconds_left(self, explanation: Explanation) -> int | None:
        return None if explanation.time_left is None else int(explanation.time_left.total_seconds())


class FilterSerializer(serializers.Serializer[Any]):
    """The filters of the list: those of the desk's search, and the customer."""

    q = serializers.CharField(
        required=False, max_length=200, help_text="Words, visitor, e-mail address or number."
    )
    status = serializers.ChoiceField(choices=[(s.value, s.value) for s in Status], required=False)
    website = serializers.CharField(required=False, help_text="The website's key.")
    group = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    agent = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="Who has or had it."
    )
    tag = serializers.IntegerField(
        required=False, min_value=1, max_value=2**63 - 1, help_text="The number of a tag."
    )
    visitor = serializers.UUIDField(required=False, help_text="The Messenger's id for the browser.")
    customer = serializers.CharField(required=False, help_text="Your own id for the customer.")
    since = serializers.DateTimeField(required=False, help_text="Opened at or after.")
    until = serializers.DateTimeField(required=False, help_text="Opened before.")


class SeenSerializer(serializers.Serializer[Any]):
    seen = serializers.IntegerField(
        required=False,
        min_value=0,
        max_value=2**31 - 1,
        help_text="The last message you know. Refused if the visitor has written since.",
    )


class SnoozeSerializer(SeenSerializer):
    until = serializers.DateTimeField(help_text="In the future, within a year.")
    keep = serializers.BooleanField(default=False, help_text="It returns to the same agent.")
    auto_close = serializers.BooleanField(
        default=False, help_text="It closes if the visitor does not reply."
    )


class TransferSerializer(serializers.Serializer[Any]):
    """The next holder: either an agent or a group."""

    agent = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    group = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    note = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=2000, help_text="For the team."
    )
    skills = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**63 - 1),
        required=False,
        max_length=20,
        help_text="The numbers of the skills that the group's agent needs. By default, required "
        "languages stay and topics do not.",
    )


class BlockingSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=300, help_text="For the team.")
    until = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Null: until it is lifted."
    )
