"""Which function reacts to which fact: the one list of side effects, as urls.py is of URLs.

Live reactions push to screens after the commit and may be lost; durable ones are owed by the outbox
and run at least once.
"""

from __future__ import annotations

from anymail.signals import inbound

import conversations.task_triggers
import desk.live
import messenger.live
import messenger.personal_tables
import reporting.live
import reporting.personal_tables
import reporting.task_triggers
import routing.personal_tables
from accounts import invitations
from conversations.facts import (
    AgentMentioned,
    BotFellSilent,
    BrowserLinked,
    ConsentChanged,
    ConversationMoved,
    ConversationWaits,
    HistoryHidden,
    MessageAdded,
    MessagesRead,
    NoteWritten,
    PushUnanswered,
    SlotFreed,
    SuggestionsAsked,
    SuggestionsCame,
    SurveyAnswered,
    VisitorBrowsed,
)
from conversations.privacy import tables
from conversations.suggestions import learning
from core.events.bus import forget, on, on_durably
from messenger.mail import webhooks
from reporting.exports import notifications
from reporting.facts import ExportAsked, ExportEnded, ReplayWanted, ReportDue
from reporting.reports import mails
from routing import dispatch, page_links, snapshot_cache
from routing.actions import escalation, reclaiming
from routing.facts import (
    AccessChanged,
    AgentChanged,
    CapacityAdded,
    GroupChanged,
    RuleChanged,
    UserInvited,
    WebsiteChanged,
)


def connect() -> None:
    """Connect all reactions and register what higher rooms own, replacing earlier wiring."""
    forget()

    on(MessageAdded, messenger.live.show_message, desk.live.show_message)
    on(MessagesRead, messenger.live.show_read, desk.live.show_read)
    on(
        ConversationMoved,
        messenger.live.show_move,
        desk.live.show_move,
        reporting.live.show_move,
    )
    on(HistoryHidden, messenger.live.show_history)
    on(BrowserLinked, messenger.live.show_person)
    on(NoteWritten, desk.live.show_note)
    on(VisitorBrowsed, desk.live.show_visitor)
    on(AgentMentioned, desk.live.show_agent)
    on(AgentChanged, desk.live.show_agent, messenger.live.show_agent, reporting.live.show_agent)
    on(PushUnanswered, desk.live.show_agent, reporting.live.show_agent)
    on(RuleChanged, reporting.live.show_rule, snapshot_cache.outdate)
    on(GroupChanged, snapshot_cache.outdate)
    on(WebsiteChanged, snapshot_cache.outdate)
    on(SurveyAnswered, reporting.live.show_survey)
    on(ConsentChanged, messenger.live.show_consent)
    on(SuggestionsAsked, conversations.task_triggers.ask_provider)
    on(SuggestionsCame, desk.live.show_suggestions)
    on(ReplayWanted, reporting.task_triggers.play_again)

    # Anymail's signal for a mail that came in by a provider's webhook.
    inbound.connect(webhooks.receive, dispatch_uid="replies by e-mail")

    on_durably(ConversationWaits, dispatch.drain_waiting)
    on_durably(SlotFreed, dispatch.drain_agent)
    on_durably(AccessChanged, reclaiming.reclaim)
    on_durably(CapacityAdded, dispatch.drain_agent)
    on_durably(GroupChanged, dispatch.drain_members)
    on_durably(RuleChanged, dispatch.drain_website)
    on_durably(WebsiteChanged, dispatch.drain_website)
    on_durably(BotFellSilent, escalation.escalate_silent)
    on_durably(SurveyAnswered, learning.relearn)
    on_durably(ReportDue, mails.send_report)
    on_durably(ExportAsked, reporting.task_triggers.write_exports)
    on_durably(ExportEnded, notifications.tell)
    on_durably(UserInvited, invitations.send_invitation)

    # What lower rooms may not know by name: the personal data and the pages of higher ones.
    tables.register(
        tables.TABLES,
        routing.personal_tables.TABLES,
        reporting.personal_tables.TABLES,
        messenger.personal_tables.TABLES,
    )
    page_links.BOARD.connect("production")
    page_links.BUILDER.connect("admin:builder")
