"""The alert rules and the dashboard in ``deploy/`` ask only for what is exported."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families
from pytest_django import Settings

from core.monitoring import measurements
from tests.browser.product import ROOT

RULES = ROOT / "deploy/prometheus/causerie-alerts.yml"
SCRAPE = ROOT / "deploy/prometheus/causerie-scrape.yml"
DASHBOARD = ROOT / "deploy/grafana/causerie.json"
GUIDE = ROOT / "docs/monitoring.md"
NAME = re.compile(r"causerie_[a-z_]+")
LABELS = re.compile(r"\b(?:by|on) \(([a-z, ]*)\)|([a-z]+)(?:=~|!~|=|!=)\"")
OF_PROMETHEUS = {"le", "job"}


def exported(client: Client, settings: Settings) -> tuple[set[str], set[str]]:
    """Return the names of all exported samples and the names of all labels."""
    settings.METRICS_TOKEN = "a token of twenty characters"
    answer = client.get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    names = set()
    for family in text_string_to_metric_families(answer.text):
        endings = {"counter": ["_total"], "histogram": ["_bucket", "_sum", "_count"]}
        names |= {family.name + ending for ending in endings.get(family.type, [""])}
    # Labels of families without a sample are not in the text.
    labels = {label for metric in measurements.METRICS for label in metric.labels}
    return names, labels | {"check", "door", "group", "kind", "of", "pool", "status", "version"} | {
        "website"
    }


def panels() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> list[str]:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    queries = [target["expr"] for panel in panels() for target in panel["targets"]]
    return [rule["expr"] for rule in rules] + queries


@pytest.mark.django_db
def test_every_metric_that_is_asked_for_is_exported(client: Client, settings: Settings) -> None:
    names, labels = exported(client, settings)
    asked = {name for text in expressions() for name in NAME.findall(text)}
    assert len(asked) > 30
    assert asked <= names
    used = {
        label.strip()
        for text in expressions()
        for found in LABELS.findall(text)
        for label in (found[0] or found[1]).split(",")
    }
    assert used - {""} <= labels | OF_PROMETHEUS


@pytest.mark.django_db
def test_every_exported_metric_is_described_and_shown(client: Client, settings: Settings) -> None:
    names, _labels = exported(client, settings)
    stems = {re.sub(r"_(bucket|sum|count)$", "", name) for name in names}
    described = set(NAME.findall(GUIDE.read_text()))
    assert {name for name in stems if name.startswith("causerie_")} <= described
    shown = {name for text in expressions() for name in NAME.findall(text)}
    unseen = stems - {re.sub(r"_(bucket|sum|count)$", "", name) for name in shown}
    assert {name for name in unseen if name.startswith("causerie_")} == set()


def test_every_alert_says_what_it_means_and_how_urgent_it_is() -> None:
    rules = yaml.safe_load(RULES.read_text())["groups"][0]["rules"]
    guide = GUIDE.read_text()
    assert len({rule["alert"] for rule in rules}) == len(rules)
    for rule in rules:
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert rule["annotations"]["summary"].endswith(".")
        assert f"`{rule['alert']}`" in guide, "say what to do about it"


def test_the_panels_do_not_overlap() -> None:
    seen: set[tuple[int, int]] = set()
    for panel in panels():
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & seen, panel["title"]
        assert all(x < 24 for x, _y in cells)
        seen |= cells


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs the package prometheus")
def test_prometheus_accepts_the_files(tmp_path: Path) -> None:
    for each in (RULES, SCRAPE):
        shutil.copy(each, tmp_path)
    scrape = (tmp_path / SCRAPE.name).read_text()
    (tmp_path / "token").write_text("a token")
    token = str(tmp_path / "token")
    (tmp_path / SCRAPE.name).write_text(scrape.replace("/etc/prometheus/causerie-token", token))
    checked = subprocess.run(
        ["promtool", "check", "config", SCRAPE.name], cwd=tmp_path, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr + checked.stdout


@pytest.mark.skipif(not shutil.which("promtool"), reason="needs the package prometheus")
def test_prometheus_understands_the_queries_of_the_dashboard(tmp_path: Path) -> None:
    rules = [
        {"record": f"query:{number}", "expr": text} for number, text in enumerate(expressions())
    ]
    (tmp_path / "rules.yml").write_text(json.dumps({"groups": [{"name": "a", "rules": rules}]}))
    checked = subprocess.run(
        ["promtool", "check", "rules", "rules.yml"], cwd=tmp_path, capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr + checked.stdout
