"""A round: what one webhook sends at one go, each conversation in its order, several at a time."""

from __future__ import annotations

import queue
import random
import time
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field

from django.db import connection, transaction
from django.utils import timezone

from conversations.models import PauseReason, Trouble, WebhookDelivery
from conversations.webhooks import attempts, notices, owed, payloads, schedule, signing
from conversations.webhooks.owed import Claimed
from conversations.webhooks.schedule import Outcome
from core import encryption, outside_calls, outside_servers

ROUND_SECONDS = 15.0
"""No attempt begins later in a round."""

AT_A_TIME = 8
"""Conversations whose deliveries one receiver gets at the same time."""


@dataclass
class Results:
    """How the attempts of a round ended, from several threads."""

    outcomes: dict[int, Outcome] = field(default_factory=dict)

    @property
    def has_success(self) -> bool:
        return any(one.is_success for one in list(self.outcomes.values()))

    @property
    def is_hopeless(self) -> bool:
        """Whether as many attempts as run at a time have failed, and none has succeeded."""
        return len(self.outcomes) >= AT_A_TIME and not self.has_success


def run(webhook_id: int) -> bool:
    """Send what a webhook owes, up to a batch; return whether it may have more right away."""
    claimed = owed.claim(webhook_id, at=timezone.now())
    if claimed is None:
        return False
    has_more = owed.read_feed(claimed, at=timezone.now())
    batch = owed.due(claimed, at=timezone.now())
    bodies = payloads.bodies_of(claimed.webhook, batch)
    connection.close()  # back to the pool: receivers may take long
    results = _send(claimed, batch, bodies) if batch else Results()
    tried = [one for one in batch if one.pk in results.outcomes]
    _note(tried, results)
    recovered = _judge(claimed, results)
    with transaction.atomic():
        if not owed.store(claimed, tried, recovered=recovered):
            return False
        notices.notify_owner(claimed, tried)
    # A batch may have been limited; the next round finds out.
    return has_more or len(batch) > 0


def _send(claimed: Claimed, batch: Sequence[WebhookDelivery], bodies: dict[int, str]) -> Results:
    results = Results()
    try:
        keys = signing.secrets_of(claimed.webhook, at=timezone.now())
    except encryption.Unreadable:
        # One delivery is enough to show the fault, and the others keep their attempts.
        results.outcomes[batch[0].pk] = Outcome(False, Trouble.SECRET)
        return results
    chains: queue.SimpleQueue[list[WebhookDelivery]] = queue.SimpleQueue()
    by_conversation = _chains(batch)
    for chain in by_conversation:
        chains.put(chain)
    give_up_at = time.monotonic() + ROUND_SECONDS
    with ThreadPoolExecutor(min(AT_A_TIME, len(by_conversation))) as threads:
        for _thread in range(min(AT_A_TIME, len(by_conversation))):
            threads.submit(_work, claimed, chains, bodies, keys, results, give_up_at)
    return results


def _chains(batch: Sequence[WebhookDelivery]) -> list[list[WebhookDelivery]]:
    """Return the deliveries of each conversation, in order; one without a conversation alone."""
    chains: dict[object, list[WebhookDelivery]] = defaultdict(list)
    for one in batch:
        chains[one.conversation_id or ("alone", one.pk)].append(one)
    return list(chains.values())


def _work(
    claimed: Claimed,
    chains: queue.SimpleQueue[list[WebhookDelivery]],
    bodies: dict[int, str],
    keys: Sequence[str],
    results: Results,
    give_up_at: float,
) -> None:
    """Send chains until there are none, the round is over, or the receiver is evidently away."""
    with ExitStack() as stack:
        server: outside_calls.Server | None = None
        while not results.is_hopeless:
            try:
                chain = chains.get_nowait()
            except queue.Empty:
                return
            for delivery in chain:
                if time.monotonic() > give_up_at:
                    return
                body = bodies.get(delivery.pk)
                if body is None:
                    results.outcomes[delivery.pk] = Outcome(False, Trouble.ERASED)
                    continue
                try:
                    server = server or stack.enter_context(attempts.connect(claimed.webhook))
                except outside_servers.Forbidden:
                    results.outcomes[delivery.pk] = Outcome(False, Trouble.FORBIDDEN)
                    return
                outcome = attempts.make(server, delivery, body, keys, at=timezone.now())
                results.outcomes[delivery.pk] = outcome
                if not outcome.is_success:
                    break  # the later ones of this conversation wait for it


def _note(tried: Sequence[WebhookDelivery], results: Results) -> None:
    """Write the outcomes into the rows, which are stored later."""
    at = timezone.now()
    for one in tried:
        outcome = results.outcomes[one.pk]
        # The column is a small integer.
        one.attempts = min(one.attempts + 1, 30_000)
        one.first_tried_at = one.first_tried_at or at
        one.tried_at = at
        one.trouble, one.status = outcome.trouble, outcome.status
        one.answer, one.duration_ms = outcome.answer, outcome.duration_ms
        if outcome.trouble == Trouble.ERASED:
            one.parked_at = at
            continue
        following = schedule.after_attempt(
            outcome,
            attempts=one.attempts,
            first_tried_at=one.first_tried_at,
            at=at,
            chance=random.random(),
        )
        one.due_at = following.due_at
        one.delivered_at = at if following.is_delivered else None
        one.parked_at = at if following.is_parked else None


def _judge(claimed: Claimed, results: Results) -> bool:
    """Write into the progress how the receiver fares; return whether it has just recovered."""
    at, progress = timezone.now(), claimed.progress
    progress.due_at = at
    outcomes = [one for one in results.outcomes.values() if one.trouble != Trouble.ERASED]
    if not outcomes:
        return False
    if any(one.status == schedule.GONE for one in outcomes):
        progress.paused_at, progress.pause_reason = at, PauseReason.GONE
        return False
    if results.has_success:
        recovered = progress.failures > 0
        progress.failures, progress.failing_since, progress.told_at = 0, None, None
        return recovered
    progress.failures += 1
    progress.failing_since = progress.failing_since or at
    wait = max(one.wait_seconds for one in outcomes)
    progress.due_at = schedule.after_failed_round(progress.failures, wait_seconds=wait, at=at)
    if at - progress.failing_since >= schedule.PAUSE_AFTER:
        progress.paused_at, progress.pause_reason = at, PauseReason.FAILED
    return False
