"""The Helm chart: what it names exists, and what it renders holds together. Without ``helm``, only
its text is checked."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.monitoring.exposition import GAUGES
from tests.browser.product import ROOT

CHART = ROOT / "deploy/helm/causerie"
TEMPLATES = sorted((CHART / "templates").iterdir())
VALUES = yaml.safe_load((CHART / "values.yaml").read_text())
OPTIONS = {"autoscaling": {"enabled": True}, "prometheus": {"enabled": True}}
POD_KINDS = {"Deployment", "Job"}
BLOCK = re.compile(r"{{-?\s*(if|range|with|define|end)\b")


def text_of(path: Path) -> str:
    return re.sub(r"{{-? */\*.*?\*/ -?}}", "", path.read_text(), flags=re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_value_exists_and_every_block_ends(path: Path) -> None:
    text = text_of(path)
    for name in re.findall(r"\.Values\.([\w.]+)", text):
        value: Any = VALUES
        for part in name.split("."):
            assert part in value, f"values.yaml has no {name}"
            value = value[part]
    depth = 0
    for word in BLOCK.findall(text):
        depth += -1 if word == "end" else 1
        assert depth >= 0
    assert depth == 0


def test_the_version_is_that_of_the_product() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert chart["appVersion"] == chart["version"] == project["version"]


def test_the_processes_are_those_of_the_compose_file() -> None:
    compose = yaml.safe_load((ROOT / "deploy/container/compose.yaml").read_text())["services"]
    image = (ROOT / "Containerfile").read_text()
    text = "".join(text_of(path) for path in TEMPLATES).replace('"', "")
    for kind in ("worker", "beat", "webhooks"):
        assert f"{kind} (" in text
        for word in compose[kind]["command"]:
            assert word in text, f"{kind} needs {word}"
    web = json.loads(re.findall(r"^CMD (\[.*\])", image, re.MULTILINE)[-1])
    assert f"command: [{', '.join(web)}]" in text


def test_it_scales_by_metrics_that_exist() -> None:
    names = {name for name, _text, _label in GAUGES.values()}
    metrics = (ROOT / "config/metrics.py").read_text()
    asked = set(
        re.findall(r'"(causerie_[a-z_]+)"', (CHART / "templates/availability.yaml").read_text())
    )
    assert len(asked) == 4
    assert all(name in names or f'"{name}"' in metrics for name in asked)


def test_settings_are_documented() -> None:
    guide = (ROOT / "docs/operations.md").read_text()
    settings = re.findall(r"^([A-Z_]+):", (CHART / "templates/_helpers.tpl").read_text(), re.M)
    assert len(settings) == 3
    for name in [*settings, *VALUES["settings"], VALUES["prometheus"]["tokenKey"]]:
        assert f"`{name}`" in guide or f"`{name}`" in (ROOT / "docs/monitoring.md").read_text()


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    if not shutil.which("helm"):
        pytest.skip("needs helm")
    values = tmp_path_factory.mktemp("helm") / "values.yaml"
    values.write_text(json.dumps(OPTIONS))
    done = subprocess.run(
        ["helm", "template", "chat", str(CHART), "--values", str(values)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


def pods(rendered: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        each["metadata"]["name"]: each["spec"]["template"]
        for each in rendered
        if each["kind"] in POD_KINDS
    }


def test_every_object_is_there(rendered: list[dict[str, Any]]) -> None:
    objects = {(each["kind"], each["metadata"]["name"]) for each in rendered}
    assert objects == {
        *(("Deployment", f"chat-{kind}") for kind in ("web", "worker", "beat", "webhooks")),
        *(("Job", f"chat-migrate-{phase}") for phase in ("before", "after")),
        *(("PodDisruptionBudget", f"chat-{kind}") for kind in ("web", "worker")),
        *(("HorizontalPodAutoscaler", f"chat-{kind}") for kind in ("web", "worker")),
        ("ConfigMap", "chat-settings"),
        ("PersistentVolumeClaim", "chat-media"),
        ("Service", "chat-web"),
        ("Ingress", "chat"),
        ("ScrapeConfig", "chat"),
    }


def test_every_pod_is_confined(rendered: list[dict[str, Any]]) -> None:
    for name, pod in pods(rendered).items():
        spec = pod["spec"]
        assert spec["securityContext"]["runAsNonRoot"], name
        assert spec["automountServiceAccountToken"] is False
        volumes = {volume["name"] for volume in spec["volumes"]}
        for container in [*spec.get("initContainers", []), *spec["containers"]]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"]
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"]["drop"] == ["ALL"]
            assert {mount["name"] for mount in container["volumeMounts"]} <= volumes


def test_only_web_has_probes_and_the_database_restarts_nothing(
    rendered: list[dict[str, Any]],
) -> None:
    web = pods(rendered)["chat-web"]["spec"]["containers"][0]
    for probe, path in (
        ("startup", "/healthz"),
        ("liveness", "/healthz"),
        ("readiness", "/readyz"),
    ):
        assert web[f"{probe}Probe"]["httpGet"]["path"] == path
    assert web["lifecycle"]["preStop"]


def test_selectors_select_their_own_pods(rendered: list[dict[str, Any]]) -> None:
    labels = {name: pod["metadata"]["labels"] for name, pod in pods(rendered).items()}
    for each in rendered:
        name = each["metadata"]["name"]
        if each["kind"] in {"Deployment", "PodDisruptionBudget"}:
            selector = each["spec"]["selector"]["matchLabels"]
        elif each["kind"] == "Service":
            selector = each["spec"]["selector"]
        else:
            continue
        chosen = {pod for pod, own in labels.items() if selector.items() <= own.items()}
        assert chosen == {name}


def test_jobs_migrate_before_and_after(rendered: list[dict[str, Any]]) -> None:
    jobs = {each["metadata"]["name"]: each for each in rendered if each["kind"] == "Job"}
    for phase, hook in (
        ("before", "pre-install,pre-upgrade"),
        ("after", "post-install,post-upgrade"),
    ):
        job = jobs[f"chat-migrate-{phase}"]
        assert job["metadata"]["annotations"]["helm.sh/hook"] == hook
        command = job["spec"]["template"]["spec"]["containers"][0]["command"]
        assert ("--before" in command) == (phase == "before")
        assert command[:3] == ["python", "manage.py", "prepare"]


def test_what_scales_has_no_fixed_number(rendered: list[dict[str, Any]]) -> None:
    for each in rendered:
        if each["kind"] == "Deployment":
            scales = each["metadata"]["name"] in {"chat-web", "chat-worker"}
            assert ("replicas" in each["spec"]) != scales
