"""Reports by e-mail: when each is due, which days it covers, and that it is sent once."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from django.core import signing
from django.db import transaction

from accounts.access import zone_of
from accounts.models import User, Website
from core.events import bus
from reporting.facts import ReportDue
from reporting.figures.period import Period
from reporting.models import Every, SubscribedReport, Subscription

MAILED = time(7)
"""In the website's local time, or the reader's if they subscribed to all websites."""
_SALT = "reporting.subscriptions"
DAY = timedelta(days=1)


@transaction.atomic
def subscribe(
    user: User,
    report: SubscribedReport,
    every: Every | None,
    *,
    website: Website | None,
    at: datetime,
) -> None:
    """Subscribe ``user`` to a report from now on; ``every=None`` unsubscribes."""
    mine = Subscription.objects.filter(user=user, report=report)
    if every is None:
        mine.delete()
        return
    zone = website.zone if website else zone_of(user)
    Subscription.objects.update_or_create(
        user=user,
        report=report,
        defaults={
            "every": every,
            "website": website,
            "next_at": next_moment(every, at, zone),
        },
    )


def publish_due(*, at: datetime) -> int:
    """Publish ``ReportDue`` for all subscriptions that are due, and set when each is due again.
    Returns how many. Any number of workers may run this at once."""
    count = 0
    with transaction.atomic():
        due = (
            Subscription.objects.select_for_update(skip_locked=True, of=("self",))
            .select_related("website", "user")
            .filter(next_at__lte=at)
        )
        for one in due:
            zone = one.website.zone if one.website else zone_of(one.user)
            period = period_before(Every(one.every), one.next_at.astimezone(zone).date())
            one.next_at = next_moment(Every(one.every), at, zone)
            one.save(update_fields=["next_at"])
            first, end = period.first.isoformat(), period.end.isoformat()
            bus.publish(ReportDue(subscription_id=one.pk, first=first, end=end))
            count += 1
    return count


def token_of(subscription: Subscription) -> str:
    """Return the token that unsubscribes without a login; it does not expire."""
    return signing.Signer(salt=_SALT).sign(str(subscription.pk))


def of_token(word: str) -> Subscription | None:
    """Return the subscription of an unsubscribe token, if it still exists."""
    try:
        number = signing.Signer(salt=_SALT).unsign(word)
    except signing.BadSignature:
        return None
    return Subscription.objects.filter(pk=number).select_related("user").first()


# --- Pure ------------------------------------------------------------------------------------


def next_moment(every: Every, after: datetime, zone: tzinfo) -> datetime:
    """Return the next seven o'clock after a moment: on any day, a Monday, or the first of a
    month."""
    day = after.astimezone(zone).date()
    while True:
        moment = datetime.combine(day, MAILED, tzinfo=zone)
        fits = {
            Every.DAY: True,
            Every.WEEK: day.weekday() == 0,
            Every.MONTH: day.day == 1,
        }
        if fits[every] and moment > after:
            return moment
        day += DAY


def period_before(every: Every, day: date) -> Period:
    """Return the days that a mail sent on ``day`` covers: the whole day, week or month before
    it."""
    if every == Every.DAY:
        return Period(day - DAY, day)
    if every == Every.WEEK:
        monday = day - timedelta(days=day.weekday())
        return Period(monday - timedelta(days=7), monday)
    first = day.replace(day=1)
    return Period((first - DAY).replace(day=1), first)
