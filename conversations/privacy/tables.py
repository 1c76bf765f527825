"""The tables that hold personal data: what visitors download of each, and what outlives erasure.

Each room declares its own tables; ``config/wiring.py`` registers them here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Model

from conversations.models import (
    Address,
    Attachment,
    Block,
    Call,
    CobrowsingAct,
    CobrowsingSession,
    Consent,
    Contact,
    Conversation,
    ConversationSummary,
    ConversationTag,
    Correspondent,
    Draft,
    Event,
    InboundEmail,
    InboundMessage,
    LanguageModelCall,
    LookPart,
    LookReplay,
    Message,
    MessageTranslation,
    MirrorLook,
    Note,
    Notice,
    OutboundMessage,
    PastAnswer,
    Person,
    Profile,
    ReasonEvent,
    SeenPage,
    SuggestionOffer,
    Survey,
    SurveyOmission,
    UnansweredQuestion,
    Visitor,
    WebhookDelivery,
    WritingAid,
)


@dataclass(frozen=True, slots=True)
class PersonalTable:
    """A table that refers to a visitor or a person, directly or through other tables.

    ``given`` are the columns that visitors may download themselves: what they wrote and gave. A
    table without any is withheld from them; the website hands it out on request.
    """

    model: type[Model]
    given: tuple[str, ...] = ()
    outlives_erasure: bool = False

    @property
    def label(self) -> str:
        return self.model._meta.label_lower


TABLES = (
    PersonalTable(Person, ("external_id", "name", "profile", "created_at")),
    PersonalTable(Visitor, ("public_id", "name", "language", "created_at", "withdrawn_at")),
    PersonalTable(Address, ("email", "wants_mail", "given_at")),
    PersonalTable(
        Consent,
        (
            "kind",
            "version",
            "language",
            "text",
            "text_sha256",
            "given_at",
            "covers_mirroring",
            "covers_stored_looks",
        ),
    ),
    PersonalTable(Profile, ("device", "language", "referrer", "place", "data", "said_at")),
    PersonalTable(SeenPage, ("url", "title", "seen_at")),
    PersonalTable(Conversation, ("id", "language", "page_url", "opened_at", "closed_at")),
    PersonalTable(Message, ("conversation_id", "seq", "author", "body", "created_at")),
    PersonalTable(MessageTranslation, ("conversation_id", "seq", "language", "text", "made_at")),
    PersonalTable(Attachment, ("conversation_id", "name", "content_type", "size", "created_at")),
    PersonalTable(InboundEmail, ("conversation_id", "sender", "subject", "text", "received_at")),
    PersonalTable(Correspondent, ("address", "created_at")),
    PersonalTable(InboundMessage, ("provider_id", "content", "received_at")),
    PersonalTable(OutboundMessage, ("conversation_id", "seq", "status", "provider_id")),
    PersonalTable(Survey, ("conversation_id", "answered_at", "csat", "nps", "comment")),
    PersonalTable(Block),
    PersonalTable(CobrowsingAct, ("at", "kind", "target", "outcome")),
    PersonalTable(
        CobrowsingSession,
        ("conversation_id", "allowed", "asked_at", "accepted_at", "ended_at", "end"),
    ),
    PersonalTable(Contact),
    PersonalTable(ConversationSummary),
    PersonalTable(ConversationTag),
    PersonalTable(Draft),
    PersonalTable(WritingAid),
    PersonalTable(Event),
    PersonalTable(
        Call,
        ("conversation_id", "begun_by", "has_video", "rang_at", "answered_at", "ended_at", "end"),
    ),
    PersonalTable(LanguageModelCall),
    PersonalTable(LookPart),
    PersonalTable(LookReplay, ("look_id", "at")),
    PersonalTable(MirrorLook, ("conversation_id", "began_at", "ended_at", "end")),
    PersonalTable(Note),
    PersonalTable(Notice),
    PersonalTable(PastAnswer),
    PersonalTable(ReasonEvent),
    PersonalTable(SuggestionOffer),
    PersonalTable(SurveyOmission),
    PersonalTable(UnansweredQuestion, ("conversation_id", "text", "asked_at")),
    PersonalTable(WebhookDelivery),
)

_registered: dict[str, PersonalTable] = {}


def register(*rooms: Iterable[PersonalTable]) -> None:
    """Register the tables of all rooms, replacing earlier ones."""
    _registered.clear()
    for tables in rooms:
        _registered.update({table.label: table for table in tables})


def registered() -> dict[str, PersonalTable]:
    """Return all registered tables by label."""
    return dict(_registered)


def outlives_erasure(model: type[Model]) -> bool:
    table = _registered.get(model._meta.label_lower)
    return table is not None and table.outlives_erasure
