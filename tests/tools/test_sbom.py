"""The bill of materials: everything that runs in production, with its hashes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

from tools import sbom


def test_every_locked_package_is_listed_with_its_hashes() -> None:
    lock = sbom.LOCK.read_text()
    listed = {
        (component["name"], component["version"]): component
        for component in sbom.bill()["components"]
        if component["purl"].startswith("pkg:pypi/")
    }
    locked = set(re.findall(r"^([A-Za-z0-9.-]+)==([^\s;]+)", lock, re.MULTILINE))
    assert listed.keys() == locked
    assert len(locked) > 60
    assert sum(len(each["hashes"]) for each in listed.values()) == lock.count("--hash=sha256:")
    assert all(each["hashes"] for each in listed.values())


def test_the_scripts_of_others_are_listed() -> None:
    purls = {component["purl"] for component in sbom.bill()["components"]}
    folders = {path.name for path in sbom.SCRIPTS.parent.iterdir() if path.is_dir()}
    assert folders
    assert len([purl for purl in purls if purl.startswith("pkg:npm/")]) >= len(folders)
    assert any(purl.startswith("pkg:npm/htmx.org@") for purl in purls)
    assert any(purl.startswith("pkg:npm/%40rrweb/record@") for purl in purls)


def test_the_same_commit_gives_the_same_bill(tmp_path: Path) -> None:
    for name in ("a", "b"):
        command = [sys.executable, "-m", "tools.sbom", str(tmp_path / name / "bill.json")]
        subprocess.run(command, check=True)
    first, second = (tmp_path / name / "bill.json" for name in ("a", "b"))
    assert first.read_text() == second.read_text()
    bill = json.loads(first.read_text())
    references = [component["bom-ref"] for component in bill["components"]]
    assert len(references) == len(set(references))
    assert bill["dependencies"][0]["dependsOn"] == references
