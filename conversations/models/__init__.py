"""Models of visitors, conversations and their history."""

from conversations.models.addresses import Address
from conversations.models.attachments import Attachment
from conversations.models.blocks import Block
from conversations.models.canned import CannedFile, CannedReply
from conversations.models.contacts import Contact
from conversations.models.conversations import ActorKind, CloseReason, Conversation, Style
from conversations.models.drafts import Draft
from conversations.models.erasures import Erasure
from conversations.models.events import Event
from conversations.models.inbound_emails import InboundEmail
from conversations.models.messages import Author, Message
from conversations.models.notes import Note
from conversations.models.notices import Notice, NoticeKind
from conversations.models.pages import Profile, SeenPage
from conversations.models.status_log import StatusInterval
from conversations.models.suggestions import (
    PastAnswer,
    SuggestionOffer,
    SuggestionSettings,
    SuggestionUse,
)
from conversations.models.surveys import Omission, Survey, SurveyOmission
from conversations.models.visitors import Consent, ConsentKind, Person, Visitor

__all__ = [
    "ActorKind",
    "Address",
    "Attachment",
    "Author",
    "Block",
    "CannedFile",
    "CannedReply",
    "CloseReason",
    "Consent",
    "ConsentKind",
    "Contact",
    "Conversation",
    "Draft",
    "Erasure",
    "Event",
    "InboundEmail",
    "Message",
    "Note",
    "Notice",
    "NoticeKind",
    "Omission",
    "PastAnswer",
    "Person",
    "Profile",
    "SeenPage",
    "StatusInterval",
    "Style",
    "SuggestionOffer",
    "SuggestionSettings",
    "SuggestionUse",
    "Survey",
    "SurveyOmission",
    "Visitor",
]
