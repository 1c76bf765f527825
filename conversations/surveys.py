"""The satisfaction survey: when it is offered, and what an answer may be."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext as _

from conversations import bus
from conversations.facts import SurveyAnswered
from conversations.models import Author, CloseReason, Conversation, Message, Survey

COMMENT_LIMIT = 2000


class Invalid(ValueError):
    """An answer that cannot be stored; its text is for the visitor."""


def offer(conversation: Conversation, *, at: datetime) -> Survey | None:
    """Offer the survey for a conversation that was just solved or closed (R198, R131, C33).

    Not to a blocked visitor, nor where nobody answered, nor twice without a new human reply in
    between. It is about the last human who spoke, whoever closed. The row is locked.
    """
    if conversation.close_reason == CloseReason.BLOCKED:
        return None
    answers = conversation.messages.filter(author__in=[Author.AGENT, Author.BOT])
    last_offer = conversation.surveys.order_by("offered_at").last()
    if last_offer is not None:
        answers = answers.filter(author=Author.AGENT, created_at__gt=last_offer.offered_at)
    answer: Message | None = answers.order_by("seq").last()
    if answer is None:
        return None
    about = {"agent_id": answer.agent_id, "group_id": conversation.group_id, "offered_at": at}
    if last_offer is not None and last_offer.answered_at is None:
        # The one that still waits is now about the newest answer.
        Survey.objects.filter(pk=last_offer.pk).update(**about)
        return last_offer
    return Survey.objects.create(conversation=conversation, **about)


@transaction.atomic
def answer(
    conversation_id: int, *, csat: int | None, nps: int | None, comment: str, at: datetime
) -> bool:
    """Store the visitor's answer; False when there is no survey left to answer.

    ``csat`` is 1 to 5, ``nps`` 0 to 10, each optional, but not everything empty.
    """
    comment = comment.strip()
    if csat is not None and not 1 <= csat <= 5:
        raise Invalid(_("Please rate from 1 to 5."))
    if nps is not None and not 0 <= nps <= 10:
        raise Invalid(_("Please choose from 0 to 10."))
    if len(comment) > COMMENT_LIMIT:
        raise Invalid(_("Please keep your comment under %(n)s characters.") % {"n": COMMENT_LIMIT})
    if csat is None and nps is None and not comment:
        raise Invalid(_("Please answer at least one question."))
    open_survey = (
        Survey.objects.select_for_update(no_key=True, of=("self",))
        .select_related("conversation")
        .filter(conversation_id=conversation_id, answered_at=None)
        .first()
    )
    if open_survey is None:
        return False
    open_survey.csat, open_survey.nps, open_survey.comment = csat, nps, comment
    open_survey.answered_at = at
    open_survey.save(update_fields=["csat", "nps", "comment", "answered_at"])
    bus.publish(
        SurveyAnswered(
            conversation_id=conversation_id, website_id=open_survey.conversation.website_id
        )
    )
    return True
