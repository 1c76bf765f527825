"""The satisfaction survey: offering it and storing answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from conversations.facts import SurveyAnswered
from conversations.lifecycle import denormalized
from conversations.models import (
    Author,
    CloseReason,
    Conversation,
    Message,
    Omission,
    Survey,
    SurveyOmission,
)
from conversations.visitors import persons
from core.events import bus

COMMENT_LIMIT = 2000


class Invalid(ValueError):
    """An answer that cannot be stored. Its text is shown to the visitor."""


def offer(conversations: Sequence[Conversation], *, at: datetime) -> list[Survey]:
    """Offer the survey for conversations that were just solved or closed (R198, R131, C33).

    There is no survey for a blocked visitor, for an unanswered conversation, if the website asks
    nothing or if the visitor has withdrawn consent; the reason is then stored (B11). Nor is there a
    second one without a human reply since the first. It is about the last agent who wrote, whoever
    closed. The caller has locked the rows.
    """
    over = list(conversations)
    asks_nothing, withdrawn = _without_survey([one.pk for one in over])
    offers = Survey.objects.filter(conversation__in=over).order_by("conversation", "offered_at")
    last_offers = {offer.conversation_id: offer for offer in offers}  # The last one of each wins.
    answers = _last_answers([one.pk for one in over])
    created, renewed, omitted = [], [], []
    for one in over:
        last, answer = last_offers.get(one.pk), answers.get(one.pk)
        reason = _why_not(
            one, answer, asks_nothing=one.pk in asks_nothing, is_withdrawn=one.pk in withdrawn
        )
        if reason is not None:
            agent_id = answer.agent_id if answer else one.agent_id
            omitted.append(
                SurveyOmission(
                    conversation=one, agent_id=agent_id, group_id=one.group_id, reason=reason, at=at
                )
            )
            continue
        assert answer is not None
        if last is not None and (answer.author == Author.BOT or answer.at <= last.offered_at):
            continue
        if last is None or last.answered_at is not None:
            last = Survey(conversation=one, **denormalized.copied(one))
            created.append(last)
        else:
            renewed.append(last)  # The unanswered survey is now about the newest reply.
        last.agent_id, last.group_id, last.offered_at = answer.agent_id, one.group_id, at
    Survey.objects.bulk_create(created)
    SurveyOmission.objects.bulk_create(omitted)
    if renewed:
        Survey.objects.bulk_update(renewed, ["agent", "group", "offered_at"])
    return created + renewed


def _without_survey(conversations: list[int]) -> tuple[set[int], set[int]]:
    """Return the conversations whose website asks nothing, and those whose visitor has withdrawn
    consent."""
    rows = Conversation.objects.filter(pk__in=conversations).values_list(
        "pk",
        "website__survey_csat",
        "website__survey_nps",
        "website__survey_comment",
        "visitor__withdrawn_at",
    )
    asks_nothing, withdrawn = set(), set()
    for number, csat, nps, comment, withdrawn_at in rows:
        if not (csat or nps or comment):
            asks_nothing.add(number)
        if withdrawn_at is not None:
            withdrawn.add(number)
    return asks_nothing, withdrawn


def _why_not(
    conversation: Conversation, answer: _Answer | None, *, asks_nothing: bool, is_withdrawn: bool
) -> Omission | None:
    """Return why there is no survey after this closure, or ``None`` if there is one."""
    if conversation.close_reason == CloseReason.BLOCKED:
        return Omission.BLOCKED
    if is_withdrawn:
        return Omission.WITHDRAWN
    if answer is None:
        return Omission.UNANSWERED
    if conversation.inbox_id is not None:
        return Omission.NO_MESSENGER
    return Omission.SWITCHED_OFF if asks_nothing else None


@dataclass(frozen=True, slots=True)
class _Answer:
    """The last reply to a visitor: an agent's, if one wrote, else the bot's."""

    author: str
    agent_id: int | None
    at: datetime


def _last_answers(conversations: list[int]) -> dict[int, _Answer]:
    answers = (
        Message.objects.filter(
            conversation__in=conversations, author__in=[Author.AGENT, Author.BOT]
        )
        # DISTINCT ON keeps the first row: the last reply of an agent, else of the bot.
        .annotate(is_human=Q(author=Author.AGENT))
        .order_by("conversation", "-is_human", "-seq")
        .distinct("conversation")
    )
    rows = answers.values_list("conversation", "author", "agent", "created_at")
    return {row[0]: _Answer(*row[1:]) for row in rows}


@transaction.atomic
def answer(
    conversation_id: int, *, csat: int | None, nps: int | None, comment: str, at: datetime
) -> bool:
    """Store the visitor's answer; return False if there is no open survey.

    ``csat`` is 1 to 5, ``nps`` 0 to 10. Each is optional, but at least one of the three is needed.
    Raise ``Invalid`` for other values, and ``Rejected`` if consent was withdrawn.
    """
    comment = comment.strip()
    if csat is not None and not 1 <= csat <= 5:
        raise Invalid(_("Please choose a rating from 1 to 5."))
    if nps is not None and not 0 <= nps <= 10:
        raise Invalid(_("Please choose a number from 0 to 10."))
    if len(comment) > COMMENT_LIMIT:
        raise Invalid(
            _("Your comment is too long. The limit is %(n)s characters.") % {"n": COMMENT_LIMIT}
        )
    if csat is None and nps is None and not comment:
        raise Invalid(_("Please answer at least one question."))
    open_survey = (
        Survey.objects.select_for_update(no_key=True, of=("self",))
        .select_related("conversation__website", "conversation__visitor")
        .filter(conversation_id=conversation_id, answered_at=None)
        .first()
    )
    if open_survey is None:
        return False
    persons.check_willing(open_survey.conversation.visitor)
    given = {"csat": csat, "nps": nps, "comment": comment or None}
    questions = open_survey.conversation.website.questions
    if any(value is not None and name not in questions for name, value in given.items()):
        raise Invalid(_("This survey does not ask this question."))
    open_survey.csat, open_survey.nps, open_survey.comment = csat, nps, comment
    open_survey.answered_at = at
    open_survey.save(update_fields=["csat", "nps", "comment", "answered_at"])
    bus.publish(
        SurveyAnswered(
            conversation_id=conversation_id, website_id=open_survey.conversation.website_id
        )
    )
    return True
