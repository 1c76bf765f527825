"""Models of visitors, conversations and their history."""

from conversations.models.addresses import Address
from conversations.models.articles import (
    Article,
    ArticleState,
    ArticleUse,
    Audience,
    UnansweredQuestion,
)
from conversations.models.attachments import Attachment
from conversations.models.blocks import Block
from conversations.models.calls import Call
from conversations.models.canned import CannedFile, CannedReply
from conversations.models.choices import ActorKind, CloseReason, Style
from conversations.models.cobrowsing import (
    CobrowsingAct,
    CobrowsingEnd,
    CobrowsingSession,
    Outcome,
)
from conversations.models.contacts import Contact
from conversations.models.conversations import Conversation
from conversations.models.drafts import Draft
from conversations.models.erasures import Erasure
from conversations.models.events import Event
from conversations.models.feed import FeedEntry, FeedPurge
from conversations.models.inbound_emails import InboundEmail
from conversations.models.inboxes import (
    Correspondent,
    InboundMessage,
    InboundStatus,
    Inbox,
    MailboxPosition,
    OutboundMessage,
    OutboundStatus,
)
from conversations.models.language_models import (
    CallOutcome,
    ConversationSummary,
    LanguageModelCall,
    LanguageModelSettings,
    MessageTranslation,
    Purpose,
    TranslationState,
    WritingAid,
    WritingKind,
    WritingState,
)
from conversations.models.looks import LookEnd, LookPart, LookReplay, MirrorLook
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
from conversations.models.tags import (
    ConversationTag,
    ReasonEvent,
    ReasonEventKind,
    Tag,
    TagColour,
)
from conversations.models.visitors import Consent, ConsentKind, Person, Visitor
from conversations.models.webhooks import (
    PauseReason,
    Trouble,
    Webhook,
    WebhookDelivery,
    WebhookFormat,
    WebhookProgress,
)

__all__ = [
    "ActorKind",
    "Address",
    "Article",
    "ArticleState",
    "ArticleUse",
    "Attachment",
    "Audience",
    "Author",
    "Block",
    "Call",
    "CallOutcome",
    "CannedFile",
    "CannedReply",
    "CloseReason",
    "CobrowsingAct",
    "CobrowsingEnd",
    "CobrowsingSession",
    "Consent",
    "ConsentKind",
    "Contact",
    "Conversation",
    "ConversationSummary",
    "ConversationTag",
    "Correspondent",
    "Draft",
    "Erasure",
    "Event",
    "FeedEntry",
    "FeedPurge",
    "InboundEmail",
    "InboundMessage",
    "InboundStatus",
    "Inbox",
    "LanguageModelCall",
    "LanguageModelSettings",
    "LookEnd",
    "LookPart",
    "LookReplay",
    "MailboxPosition",
    "Message",
    "MessageTranslation",
    "MirrorLook",
    "Note",
    "Notice",
    "NoticeKind",
    "Omission",
    "OutboundMessage",
    "OutboundStatus",
    "Outcome",
    "PastAnswer",
    "PauseReason",
    "Person",
    "Profile",
    "Purpose",
    "ReasonEvent",
    "ReasonEventKind",
    "SeenPage",
    "StatusInterval",
    "Style",
    "SuggestionOffer",
    "SuggestionSettings",
    "SuggestionUse",
    "Survey",
    "SurveyOmission",
    "Tag",
    "TagColour",
    "TranslationState",
    "Trouble",
    "UnansweredQuestion",
    "Visitor",
    "Webhook",
    "WebhookDelivery",
    "WebhookFormat",
    "WebhookProgress",
    "WritingAid",
    "WritingKind",
    "WritingState",
]
