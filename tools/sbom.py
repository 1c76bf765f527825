"""``make sbom``: the software bill of materials, in CycloneDX 1.6, of what runs in production.

It lists each package of ``requirements/runtime.txt`` with its hashes, and the scripts of others in
``static/vendor``. Both are locked in this repository, so the same commit gives the same bill.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCK = ROOT / "requirements/runtime.txt"
SCRIPTS = ROOT / "static/vendor/README.md"
PACKAGE = re.compile(r"^(?P<name>[a-z0-9.-]+)(?:\[[^]]*\])?==(?P<version>[^\s;\\]+)", re.IGNORECASE)
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
ROW = re.compile(r"^\| `(?P<folder>[^`]+)` \| (?P<names>[^|]+) \| (?P<version>[^|]+) \|")


def main() -> None:
    text = json.dumps(bill(), indent=2) + "\n"
    if len(sys.argv) > 1:
        Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
        Path(sys.argv[1]).write_text(text)
    else:
        sys.stdout.write(text)


def bill() -> dict[str, Any]:
    """Return the document."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    product = f"pkg:generic/causerie@{project['version']}"
    components = [*packages(LOCK.read_text()), *scripts(SCRIPTS.read_text())]
    # The serial number is that of this content.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps([product, components]))
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{serial}",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": product,
                "name": "causerie",
                "version": project["version"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": product,
            }
        },
        "components": components,
        "dependencies": [
            {"ref": product, "dependsOn": [component["bom-ref"] for component in components]}
        ],
    }


def packages(lock: str) -> Iterator[dict[str, Any]]:
    """Yield the components of a lock file."""
    for block in re.split(r"\n(?=\S)", lock):
        found = PACKAGE.match(block)
        if found:
            component = _component(f"pkg:pypi/{found['name'].lower()}", found["name"], found)
            hashes = sorted(set(HASH.findall(block)))
            yield component | {"hashes": [{"alg": "SHA-256", "content": each} for each in hashes]}


def scripts(readme: str) -> Iterator[dict[str, Any]]:
    """Yield the components of the table of third-party files."""
    for found in filter(None, map(ROW.match, readme.splitlines())):
        for name in found["names"].split(", "):
            purl = f"pkg:npm/{name.strip().replace('@', '%40')}"
            yield _component(purl, name.strip(), found)


def _component(purl: str, name: str, found: re.Match[str]) -> dict[str, Any]:
    version = found["version"].strip()
    address = f"{purl}@{version}"
    return {
        "type": "library",
        "bom-ref": address,
        "name": name,
        "version": version,
        "purl": address,
    }


if __name__ == "__main__":
    main()
