"""``python -m bench``: start an installation (or use a running one), load it, print and judge."""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import figures, servers
from bench.instance import ROOT, Instance, NotStarted, started

PHASES = {"idle": 10.0, "open": 30.0, "closed": 20.0}
RATES = {"visitor": 20.0, "agent": 10.0}
SENDERS = 16
SETTING_UP_SECONDS = 180


def options_of(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument(
        "--url", help="a running installation on this machine, whose environment we share"
    )
    parser.add_argument("--web", type=int, default=os.cpu_count() or 1, help="web processes")
    parser.add_argument(
        "--only", choices=list(PHASES), action="append", help="play this phase only"
    )
    parser.add_argument("--seconds", type=float, help="length of each phase")
    parser.add_argument("--visitors", type=int, default=100)
    parser.add_argument("--agents", type=int, default=10)
    parser.add_argument("--senders", type=int, default=SENDERS)
    parser.add_argument(
        "--out", type=Path, default=ROOT / "var" / "bench", help="folder of the JSON"
    )
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    options = options_of(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the installation is stopped
    try:
        with _installation(options) as instance:
            report = measure(instance, options)
    except NotStarted as error:
        print(f"bench: {error}", file=sys.stderr)
        return 2
    except subprocess.SubprocessError as error:
        print(f"bench: broken off: {error}", file=sys.stderr)
        return 2
    print(figures.as_text(report))
    print(f"written to {_write(report, options.out)}")
    return 0 if all(target.is_met for target in figures.targets(report)) else 1


def _installation(options: argparse.Namespace) -> AbstractContextManager[Instance]:
    if not options.url:
        return started(options.web)
    address = urlsplit(options.url)
    host, port = address.hostname or "127.0.0.1", address.port or 8000
    if host not in {"127.0.0.1", "localhost"}:
        raise NotStarted("the load is for this machine only: --url http://127.0.0.1:PORT")
    return nullcontext(Instance(host, port, servers.find_root(port), dict(os.environ)))


def measure(instance: Instance, options: argparse.Namespace) -> dict[str, Any]:
    """Prepare, run the load, and assemble the figures."""
    load_average = os.getloadavg()[0]
    counts = ["--agents", str(options.agents), "--visitors", str(options.visitors)]
    prepared = _output("bench.prepare", counts, "", instance.environment, SETTING_UP_SECONDS)
    phases = {
        name: options.seconds or seconds
        for name, seconds in PHASES.items()
        if not options.only or name in options.only
    }
    scenario = json.loads(prepared) | {
        "host": instance.host,
        "port": instance.port,
        "root": instance.root,
        "visitors": options.visitors,
        "phases": phases,
        "rates": RATES,
        "senders": options.senders,
    }
    patience = SETTING_UP_SECONDS + 3 * sum(phases.values())
    played: dict[str, Any] = json.loads(
        _output("bench.load", [], json.dumps(scenario), instance.environment, patience)
    )
    return played | {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "cores": os.cpu_count(),
            "model": _model(),
            "system": platform.release(),
            "python": platform.python_version(),
            "load_average": load_average,
            "nice": os.nice(0),
        },
        "web_processes": sum(part.startswith("web") for part in played["memory_mb"]),
        "agents": options.agents,
        "phases": {name: figures.summary(phase) for name, phase in played["phases"].items()},
    }


def _output(
    module: str, arguments: list[str], stdin: str, environment: dict[str, str], seconds: float
) -> str:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env=environment,
        input=stdin,
        stdout=subprocess.PIPE,
        text=True,
        timeout=seconds,
        check=True,
    )
    return done.stdout


def _model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")


def _write(report: dict[str, Any], folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{report['at'].replace(':', '').replace('+0000', 'Z')}.json"
    file.write_text(json.dumps(report, indent=2) + "\n")
    return file


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
