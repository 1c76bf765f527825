"""The filters of a report, within what the reader may see."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import QueryDict
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts import supervision
from accounts.models import Agent, Group, User, Website
from accounts.rights import websites_of, within_token
from accounts.supervision import Supervised
from accounts.templatetags.interface import language_name
from conversations.models import Contact, Style, Tag
from reporting.figures.period import Period, TrendUnit, fitting_step
from reporting.figures.scope import Filters, Scope
from reporting.reports.parameters import Misread, ParameterErrors, faults_of, sentences
from routing.models import DistributionRule

LONGEST = 1100  # days: three years
YEARS = range(2000, 2101)
DAYS = frozenset({"first", "last"})
ISO = "%Y-%m-%d"
NOTHING: Mapping[str, None] = {}
ONE_DAY = timedelta(days=1)
PERIODS = [
    ("today", _("Today")),
    ("yesterday", _("Yesterday")),
    ("week", _("This week")),
    ("last_week", _("Last week")),
    ("7", _("Last 7 days")),
    ("month", _("This month")),
    ("last_month", _("Last month")),
    ("30", _("Last 30 days")),
    ("90", _("Last 90 days")),
    ("year", _("This year")),
    ("last_year", _("Last year")),
    ("365", _("Last 365 days")),
    ("custom", _("Custom period")),
]
USUAL = "7"
STEPS = [
    ("", _("Automatic")),
    (TrendUnit.HOUR, _("Hour")),
    (TrendUnit.DAY, _("Day")),
    (TrendUnit.WEEK, _("Week")),
    (TrendUnit.MONTH, _("Month")),
]


def languages_offered() -> list[tuple[str, Any]]:
    codes = dict(settings.LANGUAGES)
    return [("", _("All languages")), *((code, language_name(code)) for code in codes)]


def websites_seen_by(user: User) -> QuerySet[Website]:
    """Return the websites whose figures ``user`` may read. Overseers read what they oversee. Agents
    read only their own figures, on the websites of their present and former groups."""
    if not user.is_active:
        return Website.objects.none()
    if user.oversees:
        return websites_of(user)
    # Former websites too: what agents did there is theirs, and they may be paid for it.
    worked = Contact.objects.filter(agent__user=user, website=OuterRef("pk"))
    member = Group.objects.filter(members__user=user, website=OuterRef("pk"))
    websites = Website.objects.filter(Exists(worked) | Exists(member))
    return within_token(websites, user, "pk")


def supervision_of(user: User, websites: Iterable[Website]) -> Supervised:
    """Return what ``user`` may read of these websites. The form narrows agents to their own
    figures."""
    if user.oversees:
        return supervision.of(user)
    return Supervised(websites=frozenset(website.pk for website in websites))


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter that is set, and the query of the same page without it."""

    label: str
    text: str
    query_without: str


OF_THE_PERIOD = ("period", "first", "last")


class Choices(forms.Form):
    """The filters above a report. The choices contain only what this reader may see. ``beside``
    maps the other parameters of the address to their allowed values; ``None`` allows any."""

    period = forms.ChoiceField(label=_("Period"), choices=PERIODS, required=False)
    first = forms.DateField(label=_("From"), required=False, input_formats=[ISO])
    last = forms.DateField(label=_("To"), required=False, input_formats=[ISO])
    step = forms.ChoiceField(label=_("Trend by"), choices=STEPS, required=False)
    website = forms.ModelChoiceField(
        Website.objects.none(), label=_("Website"), empty_label=_("All websites"), required=False
    )
    group = forms.ModelChoiceField(
        Group.objects.none(), label=_("Group"), empty_label=_("All groups"), required=False
    )
    rule = forms.ModelChoiceField(
        DistributionRule.objects.none(), label=_("Rule"), empty_label=_("All rules"), required=False
    )
    style = forms.ChoiceField(
        label=_("Style"), choices=[("", _("All styles")), *Style.choices], required=False
    )
    agent = forms.ModelChoiceField(
        Agent.objects.none(), label=_("Agent"), empty_label=_("All agents"), required=False
    )
    language = forms.ChoiceField(label=_("Language"), choices=languages_offered, required=False)
    tag = forms.ModelChoiceField(
        Tag.objects.none(), label=_("Tag"), empty_label=_("All tags"), required=False
    )
    currency = forms.RegexField(
        "^[A-Z]{3}$", label=_("Currency"), required=False, widget=forms.HiddenInput
    )

    def __init__(
        self,
        data: QueryDict,
        *,
        user: User,
        at: datetime,
        beside: Mapping[str, Collection[str] | None] = NOTHING,
    ) -> None:
        shown = data.copy()
        if not shown.get("period"):
            shown["period"] = USUAL  # the page shows the period that was counted
        super().__init__(shown)
        self.user, self.at, self.beside = user, at, beside
        self.websites = list(websites_seen_by(user))
        self.supervised = supervision_of(user, self.websites)
        groups = Group.objects.filter(self.supervised.rows(group="pk"))
        of_rules = self.supervised.rows(group="steps__group")
        members = Group.members.through.objects.filter(group__in=groups.order_by())
        for name in DAYS:
            self.fields[name].widget = forms.DateInput(attrs={"type": "date"}, format=ISO)
            self.fields[name].error_messages["invalid"] = _(
                "This is not a valid day. Use the format 2026-11-28."
            )
        choices: dict[str, QuerySet[Any]] = {
            "website": websites_seen_by(user),
            "group": groups,
            "rule": DistributionRule.objects.filter(of_rules).distinct(),
            "agent": self._who_worked(members),
            "tag": Tag.objects.filter(website__in=[website.pk for website in self.websites]),
        }
        for name, choice in choices.items():
            self.fields[name].queryset = choice  # type: ignore[attr-defined]
        self._offer_members(members)
        self._offer_tags()
        if not user.oversees:
            for name in ("agent", "group", "rule"):
                del self.fields[name]
        for field in self.fields.values():
            field.widget.attrs.setdefault("class", "input")

    def period_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in OF_THE_PERIOD]

    def other_fields(self) -> list[forms.BoundField]:
        return [field for field in self.visible_fields() if field.name not in OF_THE_PERIOD]

    @property
    def query_of_days(self) -> str:
        return urlencode({name: self.data[name] for name in OF_THE_PERIOD if self.data.get(name)})

    def chips(self) -> list[Chip]:
        """Return the filters that are set, in the order of the form."""
        given = self.cleaned_data if self.is_valid() else {}
        values = {name: self.data[name] for name in self.fields if self.data.get(name)}
        return [
            Chip(
                label=str(self.fields[name].label),
                text=self._text_of(name, given[name]),
                query_without=urlencode({one: values[one] for one in values if one != name}),
            )
            for name in values
            if name not in OF_THE_PERIOD and given.get(name)
        ]

    def _text_of(self, name: str, value: Any) -> str:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
            choices: Any = field.choices  # the stubs also allow nested and callable choices
            return str(dict(choices).get(value, value))
        return str(value)

    def _who_worked(self, members: QuerySet[Any]) -> QuerySet[Agent]:
        """Return the agents who may have figures here, including those who have left the groups
        since."""
        if self.supervised.everything:
            return Agent.objects.all()
        contacts = Contact.objects.filter(self.supervised.rows(), agent=OuterRef("pk"))
        return Agent.objects.filter(Q(pk__in=members.values("agent")) | Exists(contacts))

    def _offer_members(self, members: QuerySet[Any]) -> None:
        """Offer today's members; any other agent only if they were chosen, from their row."""
        field = self.fields["agent"]
        assert isinstance(field, forms.ModelChoiceField)

        def offered() -> list[tuple[Any, Any]]:
            agents = list(Agent.objects.filter(pk__in=members.values("agent")))
            chosen = getattr(self, "cleaned_data", {}).get("agent")
            if chosen is not None and chosen not in agents:
                agents.append(chosen)
            return [("", field.empty_label), *((agent.pk, str(agent)) for agent in agents)]

        field.choices = offered

    def _offer_tags(self) -> None:
        """Offer the tags that conversations can have, archived ones too. A merged one is not
        listed, but stays valid: a saved address then means the tag that remains."""
        field = self.fields["tag"]
        assert isinstance(field, forms.ModelChoiceField)
        websites = [website.pk for website in self.websites]
        offered = Tag.objects.filter(website__in=websites, merged_into=None)
        field.choices = lambda: [
            ("", field.empty_label),
            *((tag.pk, str(tag)) for tag in offered.all()),
        ]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        assert isinstance(self.data, QueryDict)
        # A parameter that this reader does not have, such as an agent's name for another agent, is
        # ignored and not an error.
        for name, text in faults_of(self.data, {*self.base_fields, *self.beside}).items():
            self._refuse(name, text)
        for name, values in self.beside.items():
            value = self.data.get(name)
            if value and values is not None and value not in values:
                self._refuse(
                    name, gettext("“%(value)s” is not a valid choice.") % {"value": value[:40]}
                )
        if "period" not in self.errors:
            self._check_days(given)
        return given

    def _check_days(self, given: dict[str, Any]) -> None:
        """Check that ``first`` and ``last`` are present with ``period=custom``, and only then."""
        first, last = given.get("first"), given.get("last")
        if given.get("period") != "custom":
            for name in DAYS:
                if self.data.get(name):
                    text = gettext("“%(name)s” can only be used with “period=custom”.")
                    self._refuse(name, text % {"name": name})
        elif first is None or last is None:
            if not self.errors.keys() & DAYS:
                text = gettext("Choose the first and the last day (“first” and “last”).")
                self.add_error(None, text)
        elif first > last:
            self.add_error(None, gettext("“first”: the first day is after the last one."))
        elif (last - first).days >= LONGEST:
            self.add_error(None, gettext("“first”: choose up to three years."))
        elif first.year not in YEARS or last.year not in YEARS:
            self.add_error(None, gettext("“first”: choose days from 2000 to 2100."))

    def _refuse(self, name: str, text: str) -> None:
        """Add an error, also for a parameter that is not a field."""
        self.errors.setdefault(name, self.error_class()).append(text)

    @property
    def errors_by_name(self) -> ParameterErrors:
        """The errors, by the name of the parameter."""
        return {name: [str(one) for one in messages] for name, messages in self.errors.items()}

    @property
    def sentences(self) -> list[str]:
        """The errors as sentences for a reader of the page."""
        return sentences(
            self.errors_by_name, {name: str(one.label) for name, one in self.fields.items()}
        )


def read(
    data: QueryDict,
    *,
    user: User,
    at: datetime,
    beside: Mapping[str, Collection[str] | None] = NOTHING,
) -> Choices:
    """Return the filters of an address. Raises ``Misread`` if one of them is invalid."""
    form = Choices(data, user=user, at=at, beside=beside)
    if not form.is_valid():
        raise Misread(form.errors_by_name)
    return form


@dataclass(frozen=True, slots=True)
class Chosen:
    """A scope, the step of its trends, and the query that leads back to it."""

    scope: Scope
    step: TrendUnit
    query: str


def chosen(form: Choices) -> Chosen:
    """Return what the form chooses; an invalid form chooses nothing."""
    given: dict[str, Any] = {}
    websites: list[Website] = []
    if form.is_valid():
        given = form.cleaned_data
        websites = [given["website"]] if given.get("website") else form.websites
    zones = [website.time_zone for website in websites] or ["UTC"]
    days = {zone: _period(given, form.at.astimezone(ZoneInfo(zone)).date()) for zone in zones}
    period = days[zones[0]]
    own = {zone: other for zone, other in days.items() if other != period}
    filters = Filters(
        group=_pk(given.get("group")),
        rule=_pk(given.get("rule")),
        agent=_agent(form, given),
        style=given.get("style", ""),
        language=given.get("language", ""),
        tag=_tag(given),
        currency=given.get("currency", ""),
    )
    step = TrendUnit(given["step"]) if given.get("step") else fitting_step(period)
    if step is TrendUnit.HOUR and period.days > 31:
        step = TrendUnit.DAY  # thousands of points are not readable
    values = {name: form.data[name] for name in form.fields if form.data.get(name)}
    scope = Scope(
        tuple(websites), period, filters, supervised=form.supervised, own=own, asked_at=form.at
    )
    return Chosen(scope, step, urlencode(values))


def _tag(given: dict[str, Any]) -> int | None:
    """Return the tag that conversations have instead of the chosen one, if it was merged."""
    tag: Tag | None = given.get("tag")
    while tag is not None and tag.merged_into is not None:
        tag = tag.merged_into
    return _pk(tag)


def about(form: Choices) -> str:
    """Describe the choice, apart from the days, in one line for someone who reads it on another
    day."""
    given = form.cleaned_data
    websites = [given["website"]] if given.get("website") else form.websites
    rows = [given.get(name) for name in ("group", "rule", "agent", "tag")]
    styles = dict(Style.choices)
    return " · ".join(
        str(part)
        for part in (
            ", ".join(supervision.named(websites, form.supervised)),
            *rows,
            styles.get(given.get("style", "")),
            given.get("language") and language_name(given["language"]),
            given.get("currency"),
        )
        if part
    )


def _period(given: dict[str, Any], today: date) -> Period:
    monday = today - timedelta(days=today.weekday())
    match given.get("period") or USUAL:
        case "today":
            return Period(today, today + ONE_DAY)
        case "yesterday":
            return Period(today - ONE_DAY, today)
        case "week":
            return Period(monday, today + ONE_DAY)
        case "last_week":
            return Period(monday - timedelta(days=7), monday)
        case "year":
            return Period(today.replace(month=1, day=1), today + ONE_DAY)
        case "last_year":
            end = today.replace(month=1, day=1)
            return Period(end.replace(year=end.year - 1), end)
        case "month":
            return Period(today.replace(day=1), today + ONE_DAY)
        case "last_month":
            end = today.replace(day=1)
            return Period((end - ONE_DAY).replace(day=1), end)
        case "custom":
            return Period(given["first"], given["last"] + ONE_DAY)
        case days:
            return Period(today + ONE_DAY - timedelta(days=int(days)), today + ONE_DAY)


def _agent(form: Choices, given: dict[str, Any]) -> int | None:
    """Return the agent to narrow to. Agents see only their own figures; a user without a desk sees
    none."""
    if form.user.oversees:
        return _pk(given.get("agent"))
    return _pk(Agent.objects.filter(user=form.user).first()) or 0


def _pk(row: Any) -> int | None:
    return None if row is None else row.pk
