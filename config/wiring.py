"""Which function reacts to which fact: the one list of side effects, as urls.py is of URLs.

Live reactions push to screens after the commit and may be lost; durable ones are owed by the outbox
and run at least once.
"""

from __future__ import annotations

from anymail.signals import inbound as mail_came

import accounts.task_triggers
import conversations.calls.reactions
import conversations.mirroring.reactions
import conversations.page_links
import conversations.task_triggers
import desk.live
import messenger.live
import messenger.personal_tables
import reporting.live
import reporting.personal_tables
import reporting.task_triggers
import routing.personal_tables
from accounts import invitations, read_only
from accounts.facts import AccountSecured, EmailChangeAsked, PasswordForgotten
from accounts.logins import notices, own_email
from accounts.single_sign_on.people import DIRECTORY
from conversations.facts import (
    AgentMentioned,
    AnswerLeft,
    BotFellSilent,
    BrowserLinked,
    CallChanged,
    CobrowsingChanged,
    ConsentChanged,
    ConversationMoved,
    ConversationWaits,
    DeliveryChanged,
    HistoryHidden,
    InboundStored,
    InboxSaved,
    LooksChanged,
    MessageAdded,
    MessagesRead,
    MessageTranslated,
    NoteWritten,
    PersonalDataErased,
    PushUnanswered,
    ReasonsChanged,
    SlotFreed,
    SuggestionsAsked,
    SuggestionsCame,
    SummaryMade,
    SurveyAnswered,
    TranslationOwed,
    TranslationsOwed,
    VisitorBrowsed,
    VisitorLoggedOut,
    VisitorWroteToBot,
    WebhookStalled,
    WritingAsked,
    WritingCame,
)
from conversations.inboxes import kinds
from conversations.language_models import translating, writing
from conversations.privacy import tables
from conversations.suggestions import learning
from conversations.webhooks import alerts as webhook_alerts
from conversations.webhooks import notices as webhook_notices
from core.events.bus import forget, on, on_durably
from messenger.channels import connecting, inbound, outbound, registry
from messenger.mail import file_backend, webhooks
from reporting.exports import export_queue, notifications
from reporting.facts import ExportAsked, ExportEnded, ReplayWanted, ReportDue
from reporting.reports import mails
from routing import directory, dispatch, full_queues, page_links, snapshot_cache
from routing.actions import escalation, reclaiming
from routing.bots import pause_mails, programs, runner
from routing.facts import (
    AccessChanged,
    AgentChanged,
    BotAskedPeople,
    BotBegan,
    BotCalled,
    BotPaused,
    BotTyped,
    CapacityAdded,
    GroupChanged,
    ProgramOwesAnswer,
    QueueFilled,
    RuleChanged,
    UserInvited,
    WebsiteChanged,
)


def connect() -> None:
    """Connect all reactions and register what higher rooms own, replacing earlier wiring."""
    forget()
    _connect_accounts()
    _connect_webhooks()
    _connect_channels()
    on(MessageAdded, messenger.live.show_message, desk.live.show_message)
    on(MessagesRead, messenger.live.show_read, desk.live.show_read)
    on(ConversationMoved, messenger.live.show_move, desk.live.show_move, reporting.live.show_move)
    on(ConversationMoved, desk.live.check_looks, conversations.calls.reactions.end_moved)
    on(LooksChanged, messenger.live.show_looks, desk.live.show_looks)
    on(CallChanged, messenger.live.show_call, desk.live.show_call)
    on(CobrowsingChanged, messenger.live.show_cobrowsing, desk.live.show_cobrowsing)
    on(HistoryHidden, messenger.live.show_history)
    on(BrowserLinked, messenger.live.show_person)
    on(VisitorLoggedOut, messenger.live.end_sockets)
    on(NoteWritten, desk.live.show_note)
    on(ReasonsChanged, desk.live.show_note)
    on(VisitorBrowsed, desk.live.show_visitor)
    on(AgentMentioned, desk.live.show_agent)
    on(AgentChanged, desk.live.show_agent, messenger.live.show_agent, reporting.live.show_agent)
    on(PushUnanswered, desk.live.show_agent, reporting.live.show_agent)
    on(RuleChanged, reporting.live.show_rule, snapshot_cache.outdate)
    on(GroupChanged, snapshot_cache.outdate)
    on(WebsiteChanged, snapshot_cache.outdate)
    on(SurveyAnswered, reporting.live.show_survey)
    on(
        ConsentChanged,
        messenger.live.show_consent,
        conversations.mirroring.reactions.end_withdrawn,
    )
    on(SuggestionsAsked, conversations.task_triggers.ask_provider)
    on(SuggestionsCame, desk.live.show_suggestions)
    on(ReplayWanted, reporting.task_triggers.play_again)

    # Anymail's signal for a mail that came in by a provider's webhook.
    mail_came.connect(webhooks.receive, dispatch_uid="replies by e-mail")

    on_durably(ConversationWaits, dispatch.drain_waiting)
    on_durably(SlotFreed, dispatch.drain_agent)
    on_durably(AccessChanged, reclaiming.reclaim)
    on_durably(CapacityAdded, dispatch.drain_agent)
    on_durably(GroupChanged, dispatch.drain_members)
    on_durably(RuleChanged, dispatch.drain_website)
    on_durably(WebsiteChanged, dispatch.drain_website)
    _connect_bots()
    _connect_language_models()
    on_durably(SurveyAnswered, learning.relearn)
    on_durably(ReportDue, mails.send_report)
    on_durably(ExportAsked, reporting.task_triggers.write_exports)
    on_durably(ExportEnded, notifications.tell)
    on_durably(PersonalDataErased, export_queue.drop_erased)
    on_durably(PersonalDataErased, file_backend.delete_erased)
    on_durably(UserInvited, invitations.send_invitation)
    _register()


def _register() -> None:
    """Register what lower rooms may not know by name: the personal data and the pages of higher
    ones."""
    read_only.permit("ask_export", "drop_export", "subscribe_report")
    tables.register(
        tables.TABLES,
        routing.personal_tables.TABLES,
        reporting.personal_tables.TABLES,
        messenger.personal_tables.TABLES,
    )
    conversations.page_links.LOOK.connect("look")
    conversations.page_links.ARTICLE.connect("article")
    conversations.page_links.ARTICLE_AT_DESK.connect("desk_article")
    page_links.BOARD.connect("production")
    page_links.BUILDER.connect("admin:builder")


def _connect_accounts() -> None:
    DIRECTORY.connect(directory.create, directory.update)
    on_durably(PasswordForgotten, accounts.task_triggers.send_links)
    on_durably(AccountSecured, notices.send_notice)
    on_durably(EmailChangeAsked, own_email.send_confirmation)


def _connect_bots() -> None:
    """Connect what bots owe their visitors. Their calls and answers never run in a web process; the
    first words do, so that they are there when the first message is accepted."""
    on_durably(BotBegan, runner.begin)
    on_durably(VisitorWroteToBot, runner.answer_visitor, in_worker=True)
    on_durably(BotCalled, runner.call, in_worker=True)
    on_durably(BotAskedPeople, runner.pass_on)
    on_durably(BotFellSilent, escalation.escalate_silent)
    on_durably(ProgramOwesAnswer, programs.deliver, in_worker=True)
    on_durably(BotPaused, pause_mails.send)
    on(BotTyped, messenger.live.show_bot_typing)
    page_links.SCENARIO.connect("admin:scenario")
    page_links.PROGRAM_FIGURES.connect("admin:program_figures")


def _connect_language_models() -> None:
    """Connect what language models write. Only workers wait for them."""
    on(ConversationMoved, conversations.task_triggers.summarise)
    on(SummaryMade, desk.live.show_note)
    on(WritingCame, desk.live.show_writing)
    on_durably(WritingAsked, writing.write, in_worker=True)
    on(MessageTranslated, messenger.live.show_translation, desk.live.show_translation)
    on_durably(TranslationOwed, translating.translate, in_worker=True)
    on_durably(TranslationsOwed, translating.catch_up)


def _connect_channels() -> None:
    """Connect the inboxes. Their providers are called by workers, never by a web process."""
    kinds.register(connector.as_kind() for connector in registry.every())
    on_durably(InboundStored, inbound.take, in_worker=True)
    on_durably(AnswerLeft, outbound.send, in_worker=True)
    on_durably(InboxSaved, connecting.connect, in_worker=True)
    on(DeliveryChanged, desk.live.show_delivery)


def _connect_webhooks() -> None:
    """Connect the alerts that are no lines of the ledger, the notices to owners, and the pages that
    both link to. Everything else reaches webhooks by the change feed."""
    on_durably(SurveyAnswered, webhook_alerts.note_rating)
    on_durably(QueueFilled, full_queues.note)
    on_durably(WebhookStalled, webhook_notices.send, in_worker=True)
    conversations.page_links.CONVERSATION.connect("conversation")
    conversations.page_links.QUEUES.connect("production")
    conversations.page_links.DELIVERIES.connect("admin:conversations_webhookdelivery_changelist")
