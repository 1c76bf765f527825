"""The rules of MDN's HTTP Observatory for its best grade, on every page that a person opens.

The analyser itself (``@mdn/mdn-http-observatory``) is not a part of the project; what it deducts
points for is checked here: https://developer.mozilla.org/en-US/observatory/docs/tests_and_scoring
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from accounts.models import Role
from config.response_headers import missing
from conversations.models import Visitor
from routing.models import RuleStep, TargetingRule
from tests.config.test_incoming import paths
from tests.factories import AgentFactory, StepFactory, UserFactory, VisitorFactory, on_desk
from tests.logins import log_in_freshly

pytestmark = pytest.mark.django_db

HALF_A_YEAR = 15768000
UNSAFE = {"'unsafe-inline'", "'unsafe-eval'", "data:", "http:", "https:", "ftp:", "*"}
ACTIVE = ("script-src", "style-src", "object-src")
REPLAY = "/desk/c/{}/mirror/"
"""A frame of the desk without scripts, which shows the brand's own styles (docs/mirroring.md)."""
INSECURE = re.compile(r'<(?:script|link|iframe)[^>]+(?:src|href)="http:', re.IGNORECASE)


def deductions(answer: Any) -> list[str]:
    """Return what the Observatory would deduct points for."""
    found = [(name.encode(), value.encode()) for name, value in answer.items()]
    headers = {name.decode().lower(): value.decode() for name, value in found + missing(found)}
    policy = dict(
        one.strip().partition(" ")[::2]
        for one in headers.get("content-security-policy", "").split(";")
        if one.strip()
    )
    faults = []
    for directive in ACTIVE:
        sources = policy.get(directive, policy.get("default-src", "*")).split()
        faults += [f"{directive} {source}" for source in sources if source in UNSAFE]
    for directive in ("base-uri", "form-action", "frame-ancestors"):
        if directive not in policy and policy.get("default-src") != "'none'":
            faults.append(f"no {directive}")
    age = re.match(r"max-age=(\d+)", headers.get("strict-transport-security", ""))
    if not age or int(age[1]) < HALF_A_YEAR:
        faults.append("HSTS")
    if headers.get("x-content-type-options") != "nosniff":
        faults.append("nosniff")
    if headers.get("referrer-policy") not in {"same-origin", "no-referrer", "strict-origin"}:
        faults.append("referrer policy")
    if headers.get("access-control-allow-origin") == "*":
        faults.append("CORS")
    if not answer.streaming and INSECURE.search(answer.content.decode(errors="replace")):
        faults.append("a script without HTTPS")
    return faults


@pytest.fixture
def step() -> RuleStep:
    step = StepFactory(rule__website__key="celeste", rule__website__domains=["testserver"])
    TargetingRule.objects.create(website=step.rule.website, name="all", rule=step.rule)
    return step


def test_every_page_earns_the_best_grade(step: RuleStep, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 2 * HALF_A_YEAR
    agent = AgentFactory(user=UserFactory(role=Role.ADMIN, is_superuser=True, is_staff=True))
    step.group.members.add(agent)
    visitor: Visitor = VisitorFactory(website=step.rule.website, token="a token", agrees=True)
    conversation = on_desk(step, agent, visitor=visitor)
    client = Client(headers={"Origin": "http://testserver"}, raise_request_exception=False)
    log_in_freshly(client, agent.user)
    cookies = client.cookies.copy()
    pages, faults = 0, {}
    found_paths = {path for path in paths(conversation, "zzz") if "zzz" not in path}
    for path in sorted(found_paths - {REPLAY.format(conversation.pk)}):
        client.cookies = cookies.copy()
        answer = client.get(path)
        if answer.get("Content-Type", "").startswith("text/html"):
            pages += 1
            if found := deductions(answer):
                faults[path] = found
    assert pages > 100
    assert faults == {}


def test_a_deduction_is_noticed(client: Client, settings: Any) -> None:
    settings.SECURE_HSTS_SECONDS = 60
    answer = client.get("/login/")
    answer["Content-Security-Policy"] = "default-src 'self'; script-src 'self' 'unsafe-inline'"
    answer["Access-Control-Allow-Origin"] = "*"
    assert deductions(answer) == [
        "script-src 'unsafe-inline'",
        *("no base-uri", "no form-action", "no frame-ancestors", "HSTS", "CORS"),
    ]
