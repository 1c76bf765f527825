"""Websites: the brands' sites, isolated from each other."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from datetime import tzinfo
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import (
    MaxValueValidator,
    MinValueValidator,
    RegexValidator,
    URLValidator,
)
from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.clocks import clock_of
from accounts.models.cobrowsing import CobrowsingPermission

HOST = r"(\*\.)?([a-z0-9]([a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:]+\])(:\d{1,5})?"
PORT = re.compile(r":\d{1,5}$")


def new_key() -> str:
    return secrets.token_urlsafe(9)


def is_among(host: str, domains: Iterable[str]) -> bool:
    """Return whether ``host`` (``name[:port]``) is on one of ``domains``. A domain without a port
    includes all of its ports."""
    host = host.lower()
    for domain in domains:
        candidate = host if PORT.search(domain) else PORT.sub("", host)
        if domain == candidate or (domain.startswith("*.") and candidate.endswith(domain[1:])):
            return True
    return False


def check_timezone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(_("“%(name)s” is not a time zone."), params={"name": name})


# A comment would hide what follows it; a backslash escapes the next character, if there is one.
SELECTOR = re.compile(r"(?:(?!/\*)[^{};<@\\]|\\.)*")
QUOTED = re.compile(r"""\\.|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'""")
INNERMOST = re.compile(r"""\([^()\[\]"']*\)|\[[^()\[\]"']*\]""")


def _is_balanced(line: str) -> bool:
    """Return whether all strings, brackets and parentheses of a selector end in it."""
    left = QUOTED.sub("", line)
    while (shorter := INNERMOST.sub("", left)) != left:
        left = shorter
    return not re.search(r"""["'()\[\]\\]""", left)


def check_selectors(text: str) -> None:
    """Refuse lines that cannot be CSS selectors, and those that would swallow the next one, as an
    open string does. The recorder refuses to start with one that the browser does not understand.
    """
    for line in map(str.strip, text.splitlines()):
        if len(line) > 200 or not SELECTOR.fullmatch(line) or not _is_balanced(line):
            raise ValidationError(_("“%(line)s” is not a CSS selector."), params={"line": line})


class Side(models.TextChoices):
    """The side of the brand's page on which the Messenger appears, in reading direction."""

    END = "end", _("End of the line (right)")
    START = "start", _("Start of the line (left)")


class Calls(models.TextChoices):
    """What visitors and agents can do besides writing."""

    OFF = "off", _("Off")
    VOICE = "voice", _("Voice calls")
    VIDEO = "video", _("Voice and video calls")


def _sources(domains: Iterable[str]) -> list[str]:
    """Return the domains as sources of a CSP.

    Where the product is served by HTTPS, only by HTTPS: a page that anybody on the way can rewrite
    must not frame the Messenger, nor may a picture come from one.
    """
    schemes = ("https",) if settings.HTTPS else ("https", "http")
    # In a CSP, a host without a port stands for the default port only.
    hosts = [domain if PORT.search(domain) else f"{domain}:*" for domain in domains]
    return [f"{scheme}://{host}" for host in hosts for scheme in schemes]


class Website(models.Model):
    """A brand's site. No page, query or socket reaches another website without permission.

    ``texts`` holds the texts for visitors, by language and then by name (``greeting_live``,
    ``greeting_async``, ``consent``, ``closing``). The product's default replaces an empty text
    (R4, R5, C8).
    """

    name = models.CharField(_("name"), max_length=100)
    key = models.CharField(
        _("key"),
        max_length=32,
        unique=True,
        default=new_key,
        validators=[RegexValidator(r"^[A-Za-z0-9_-]+$")],
        help_text=_("Used in the code that embeds the Messenger."),
    )
    domains = ArrayField(
        models.CharField(max_length=253, validators=[RegexValidator(f"^{HOST}$")]),
        verbose_name=_("domains"),
        default=list,
        blank=True,
        help_text=_(
            "Hosts where the Messenger may appear, separated by commas: www.example.com, "
            "*.example.com, localhost:8000."
        ),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        default="Europe/Paris",
        validators=[check_timezone],
        help_text=_("Decides when a day begins in reports, and applies to opening hours."),
    )
    past_zones = models.JSONField(
        default=list,
        editable=False,
        help_text="The zones of before, each with the moment of its end; the database writes it.",
    )
    language = models.CharField(
        _("default language"),
        max_length=10,
        choices=settings.LANGUAGES,
        default="fr",
        help_text=_("Used by the Messenger if it does not have the language of the page."),
    )
    accent = models.CharField(
        _("accent colour"),
        max_length=7,
        default="#2f5d50",
        validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$")],
        help_text=_("The colour of the button, the Messenger and the e-mails: #2f5d50."),
    )
    side = models.CharField(
        _("position"),
        max_length=5,
        choices=Side.choices,
        default=Side.END,
        help_text=_("Where the button appears at the bottom of your pages."),
    )
    logo_url = models.URLField(
        _("logo address"),
        blank=True,
        help_text=_(
            "Address of a picture for the Messenger and the e-mails. Leave empty to show no logo."
        ),
    )
    texts = models.JSONField(_("texts"), default=dict, blank=True)
    assignment_hours = models.PositiveSmallIntegerField(
        _("time to handle an assigned conversation (hours)"),
        default=24,
        validators=[MinValueValidator(1)],
        help_text=_("After this time, an assigned conversation returns to its group."),
    )
    transaction_hours = models.PositiveSmallIntegerField(
        _("attribution window for transactions (hours)"),
        default=48,
        validators=[MinValueValidator(1)],
        help_text=_(
            "A transaction is attributed to the last agent who wrote before it, within this time."
        ),
    )
    blocks_addresses = models.BooleanField(
        _("also block IP addresses"),
        default=False,
        help_text=_(
            "Blocking a visitor also blocks everyone who writes from the same IP "
            "address, which may be a household or a whole company. Only a hash of the "
            "address is stored."
        ),
    )
    takes_files = models.BooleanField(
        _("files and pictures"),
        default=True,
        help_text=_("Visitors and agents can attach files to their messages."),
    )
    stays_open = models.BooleanField(
        _("stay open on the next page"),
        default=True,
        help_text=_(
            "During a conversation, the Messenger reopens on each page until the visitor "
            "minimises it. On phones, where it covers the page, it stays minimised."
        ),
    )
    mirroring = models.BooleanField(
        _("mirroring"),
        default=False,
        help_text=_("Agents see which page a visitor is viewing on the site."),
    )
    mirrors_screen = models.BooleanField(
        _("show agents the visitor's page"),
        default=False,
        help_text=_(
            "During a conversation, an agent can see the page that the visitor has in front of "
            "them, live. Visitors are asked for their consent again, see who is looking, and can "
            "stop it at any time. Nothing is stored, unless you say so below."
        ),
    )
    mirror_shows_inputs = models.BooleanField(
        _("show what visitors type"),
        default=False,
        help_text=_(
            "Otherwise all fields are masked. Passwords and payment fields are always masked."
        ),
    )
    looks_stored_days = models.PositiveSmallIntegerField(
        _("store what agents saw (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_(
            "For this many days, managers can replay what agents saw of visitors' pages. The "
            "consent text says so, and visitors are asked again. Leave empty to store nothing."
        ),
    )
    mirror_hides = models.TextField(
        _("hidden parts of pages"),
        blank=True,
        max_length=4000,
        validators=[check_selectors],
        help_text=_(
            "CSS selectors, one on each line: .invoice, #address. Agents see an empty area there. "
            "Elements with the attribute data-private are always hidden."
        ),
    )
    mirror_sources = ArrayField(
        models.CharField(max_length=253, validators=[RegexValidator(f"^{HOST}$")]),
        verbose_name=_("other hosts of pictures, fonts and styles"),
        default=list,
        blank=True,
        help_text=_(
            "Agents' browsers load these only from the website's domains and from the hosts listed "
            "here, separated by commas: cdn.example.net."
        ),
    )
    calls = models.CharField(
        _("calls"),
        max_length=5,
        choices=Calls.choices,
        default=Calls.OFF,
        help_text=_(
            "During a conversation, visitors and agents can call each other. Nothing is recorded."
        ),
    )
    visitors_share_screen = models.BooleanField(
        _("visitors can share their screen"),
        default=False,
        help_text=_("During a call. The browser asks them which window to share."),
    )
    agents_share_screen = models.BooleanField(
        _("agents can share their screen"), default=False, help_text=_("During a call.")
    )
    ring_seconds = models.PositiveSmallIntegerField(
        _("how long a call rings (seconds)"),
        default=30,
        validators=[MinValueValidator(10), MaxValueValidator(180)],
        help_text=_("From 10 to 180. A call that nobody answers within this time is missed."),
    )
    jitsi_url = models.URLField(
        _("address of a Jitsi server"),
        blank=True,
        validators=[URLValidator(schemes=["https"])],
        help_text=_(
            "Calls then take place in a room of that server, with a name that no one can guess: "
            "https://meet.example.com. Leave empty to connect the two browsers directly."
        ),
    )
    cobrowsing = ArrayField(
        models.CharField(max_length=9, choices=CobrowsingPermission.choices),
        verbose_name=_("what agents may do on the visitor's page"),
        default=list,
        blank=True,
        help_text=_(
            "The agent asks each time. The visitor accepts in the Messenger and can stop at any "
            "time. Passwords, payment fields and files are never accessible. Requires that "
            "agents see the page."
        ),
    )
    survey_csat = models.BooleanField(
        _("ask about satisfaction"), default=True, help_text=_("From 1 to 5, after a conversation.")
    )
    survey_nps = models.BooleanField(
        _("ask for a recommendation"), default=True, help_text=_("From 0 to 10.")
    )
    survey_comment = models.BooleanField(
        _("ask for a comment"),
        default=True,
        help_text=_(
            "In the visitor's own words. If none of the three questions is enabled, there is "
            "no survey."
        ),
    )
    retention_days = models.PositiveIntegerField(
        _("retention period of conversations (days)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_(
            "Delete visitors and all their conversations and files this long after their "
            "last conversation closed. Leave empty to keep them until someone erases "
            "them."
        ),
    )
    consent_version = models.PositiveIntegerField(
        _("consent version"),
        default=1,
        editable=False,
        help_text=_("Version number of the consent text shown to visitors."),
    )
    shows_place = models.BooleanField(
        _("show agents the visitor's location"),
        default=False,
        help_text=_(
            "Town and country, derived from the IP address, which is not stored. "
            "Requires a database or proxy that provides them (see the operations "
            "manual). No external service is called."
        ),
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("website")
        verbose_name_plural = _("websites")
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name

    @property
    def questions(self) -> tuple[str, ...]:
        """The questions of the survey; if empty, there is no survey (B11)."""
        asked = {"csat": self.survey_csat, "nps": self.survey_nps, "comment": self.survey_comment}
        return tuple(name for name, is_asked in asked.items() if is_asked)

    @property
    def stores_looks(self) -> bool:
        return self.mirrors_screen and self.looks_stored_days is not None

    @property
    def has_calls(self) -> bool:
        return self.calls != Calls.OFF

    @property
    def has_video_calls(self) -> bool:
        return self.calls == Calls.VIDEO

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)

    @property
    def clock(self) -> tzinfo:
        """The current zone and the past ones in one ``tzinfo``, so that past days stay the same."""
        return clock_of(self.zone, self.past_zones)

    def allows_host(self, host: str) -> bool:
        """Return whether a page on ``host`` (``name[:port]``) may embed the Messenger."""
        return is_among(host, self.domains)

    @property
    def frame_ancestors(self) -> list[str]:
        """The domains in the syntax of the CSP's ``frame-ancestors``; empty if there are none."""
        return _sources(self.domains)

    @property
    def picture_sources(self) -> list[str]:
        """The hosts of what a mirrored page loads at the desk, in the syntax of a CSP. Its grammar
        has no IPv6 addresses."""
        return _sources(host for host in [*self.domains, *self.mirror_sources] if "[" not in host)

    @property
    def cobrowsing_permissions(self) -> list[str]:
        """What agents may do on the visitor's page: nothing where they do not see it."""
        return list(self.cobrowsing) if self.mirrors_screen else []

    @property
    def hidden_selectors(self) -> list[str]:
        return [line.strip() for line in self.mirror_hides.splitlines() if line.strip()]
