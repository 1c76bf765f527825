"""Measure how a full board feels: ``python -m bench.board``.

500 connected agents, 100 queues, 2,000 waiting conversations and 500 on desks, in a real Chromium,
against an installation of its own. Conversations arrive first occasionally, then quickly. Measured
from the commit that adds a waiting conversation to the painted figure that includes it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from typing import Any

from bench.instance import ROOT, Instance, NotStarted, started

AGENTS, GROUPS, WAITING = 500, 100, 2000
PACES = {"now and then": (3.1, 12), "five a second": (0.2, 60)}
"""Seconds between two conversations, and how many."""
PROMISE_MS = 1000.0
PREPARING_SECONDS = 300
SETTLE_SECONDS = 4

# When each number of waiting conversations was first seen, in milliseconds since 1970.
WATCH = """
  window.painted = [];
  const channel = new MessageChannel();
  const look = () => {
    const figure = document.querySelector("#board .tile dd a");
    const waiting = Number(figure?.textContent.replace(/\\D/g, ""));
    const at = performance.timeOrigin + performance.now();
    if (waiting && waiting !== painted.at(-1)?.[0]) painted.push([waiting, at]);
  };
  channel.port1.onmessage = look;
  addEventListener("htmx:afterSwap", () =>
    requestAnimationFrame(() => channel.port2.postMessage(0)), true);
  addEventListener("load", look);"""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.board", description=__doc__)
    parser.add_argument("--prepare", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--write", choices=list(PACES), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.prepare:
        print(json.dumps(prepare()))
        return 0
    if options.write:
        print(json.dumps(write(*PACES[options.write])))
        return 0
    try:
        with started(1) as instance:
            results = play(instance, _ask(instance, "--prepare"))
    except NotStarted as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    missed = False
    print("| | median | p95 | worst | promise |\n| --- | --- | --- | --- | --- |")
    for pace, took in results.items():
        missed |= took[-1] > PROMISE_MS
        cells = (statistics.median(took), took[int(0.95 * len(took))], took[-1], PROMISE_MS)
        print(f"| {pace} | {' | '.join(f'{cell:.0f} ms' for cell in cells)} |")
    return int(missed)


def _ask(instance: Instance, *arguments: str) -> Any:
    """Run a step that needs Django in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.board", *arguments],
        cwd=ROOT,
        env=instance.environment,
        stdout=subprocess.PIPE,
        text=True,
        timeout=PREPARING_SECONDS,
        check=True,
    )
    return json.loads(done.stdout)


def play(instance: Instance, prepared: dict[str, Any]) -> dict[str, list[float]]:
    """Watch the board while conversations arrive; return milliseconds, sorted."""
    from playwright.sync_api import sync_playwright

    url = f"http://{instance.host}:{instance.port}"
    results = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox"],
        )
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        name, _, value = prepared["cookie"].partition("=")
        context.add_cookies([{"name": name, "value": value, "url": url}])
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{url}/reports/production/")
        queues = page.locator("[aria-labelledby=queues-title] tbody tr")
        shown = page.locator("[aria-labelledby=agents-title] tbody tr")
        print(f"{queues.count()} queues and {shown.count()} of {AGENTS} agents on the page")
        tools = context.new_cdp_session(page)
        tools.send("Performance.enable", {"timeDomain": "threadTicks"})
        for pace in PACES:
            time.sleep(SETTLE_SECONDS)
            before = _spent(tools)
            committed = _ask(instance, "--write", pace)
            last = committed[-1][0]
            page.wait_for_function("last => painted.at(-1)[0] >= last", arg=last)
            drawn = page.evaluate("painted")
            took = [
                next(at for waiting, at in drawn if waiting >= number) - 1000 * moment
                for number, moment in committed
            ]
            draws = sum(waiting >= committed[0][0] for waiting, _at in drawn)
            print(
                f"{pace}: {(_spent(tools) - before) / draws:.0f} ms of the page's thread a drawing"
            )
            results[pace] = sorted(took)
        browser.close()
    return results


def _spent(tools: Any) -> float:
    """Return the CPU time of the page's main thread so far, in ms."""
    metrics = {one["name"]: one["value"] for one in tools.send("Performance.getMetrics")["metrics"]}
    return 1000 * float(metrics["TaskDuration"])


def prepare() -> dict[str, str]:
    """Create busy agents at their desks, long queues, and an administrator."""
    from bench import prepare as preparing  # sets Django up
    from bench import rows

    rows.prepare(groups=GROUPS, agents=AGENTS, slots=4)
    rows.go_home()  # nobody takes what arrives
    rows.wait(WAITING + AGENTS)

    from django.conf import settings
    from django.db import transaction
    from django.utils import timezone

    from accounts.models import Agent, Role, User
    from conversations.lifecycle import verbs
    from conversations.models import Conversation

    now = timezone.now()
    waiting = Conversation.objects.filter(status="queued").order_by("pk")[:AGENTS]
    for agent, conversation in zip(Agent.objects.order_by("pk"), list(waiting), strict=True):
        with transaction.atomic():
            verbs.push(conversation.pk, agent=agent, at=now)
    rows.settle()
    boss = User.objects.create_user("bench-boss", role=Role.ADMIN)
    return {"cookie": f"{settings.SESSION_COOKIE_NAME}={preparing.session(boss)}"}


def write(pause: float, count: int) -> list[tuple[int, float]]:
    """Add ``count`` waiting conversations; return how many wait after each, and since when."""
    from django.db import transaction
    from django.utils import timezone

    import bench.prepare  # noqa: F401  # sets Django up
    from accounts.models import Website
    from conversations.lifecycle import verbs
    from conversations.models import Conversation, Visitor
    from routing.models import RuleStep

    website, steps = Website.objects.get(key="bench"), list(RuleStep.objects.all())
    waiting = Conversation.objects.waiting().count()
    found = []
    for number in range(count):
        now, step = timezone.now(), steps[number % len(steps)]
        visitor = Visitor.objects.create(
            website=website, token_hash=f"{now.timestamp()}", language="en", created_at=now
        )
        new = Conversation(website=website, visitor=visitor, language="en", rule=step.rule)
        with transaction.atomic():
            verbs.queue(new, group_id=step.group_id, queue_id=step.pk, at=now)
            committed = time.time()
        found.append((waiting + number + 1, committed))
        time.sleep(pause)
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
