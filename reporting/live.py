"""Live updates for a website's boards: hints that something changed; they fetch what they may
see."""

from __future__ import annotations

from channels.db import database_sync_to_async

from accounts.models import Website
from conversations.facts import ConversationMoved, PushUnanswered, SurveyAnswered
from core.realtime.channel_groups import board_group, push
from routing.facts import AgentChanged, RuleChanged

CHANGED = {"type": "changed", "what": "board"}


async def show_move(fact: ConversationMoved) -> None:
    await push(board_group(fact.website_id), CHANGED)


async def show_survey(fact: SurveyAnswered) -> None:
    await push(board_group(fact.website_id), CHANGED)


async def show_rule(fact: RuleChanged) -> None:
    await push(board_group(fact.website_id), CHANGED)


async def show_agent(fact: AgentChanged | PushUnanswered) -> None:
    for website_id in await database_sync_to_async(_websites_of)(fact.agent_id):
        await push(board_group(website_id), CHANGED)


def _websites_of(agent_id: int) -> list[int]:
    websites = Website.objects.filter(groups__members=agent_id)
    # The column of the default order would count for DISTINCT.
    return list(websites.order_by().values_list("pk", flat=True).distinct())
