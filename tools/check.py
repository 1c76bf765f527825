"""``make test``: runs every check in order, under its heading; the last line counts them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
COUNTED = re.compile(r"(\d+) (passed|failed|errors?)\b")
# The headless shell takes one minute for what the whole browser does in three.
SHELL = "chromium-headless-shell"
SERVERS = {"clamd": "clamav-daemon", "nginx": "nginx-light", "caddy": "caddy"}
CHROMIUM = (SHELL, "chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

CHECKS = {
    "Lint": ["ruff", "check", "--quiet", "."],
    "Format": ["ruff", "format", "--check", "--quiet", "."],
    "Types": ["mypy"],
    "Layers": ["lint-imports", "--no-logo"],
    "Templates": ["djlint", "--lint", "--quiet", "."],
    "Sizes": ["python", "-m", "tools.sizes"],
    "Migrations": ["python", "-m", "tools.migrations"],
}
SLOWEST = ["--durations=20", "--durations-min=4"]
TESTS = {
    # A process for each core and one more, because tests also wait. Each has its own engines, and a
    # file stays in one process.
    "Tests": [
        *("pytest", "--ignore=tests/browser", "-n", str((os.cpu_count() or 1) + 1)),
        *("--dist", "loadfile", "--no-loadscope-reorder", *SLOWEST),
    ],
    # Separate: what in-process async tests leave behind disturbs live servers. Each process has a
    # product and a browser of its own; the tests define the order of the files.
    "Browser tests": [
        *("pytest", "tests/browser", "-n", "auto", "--dist", "loadfile", "--no-loadscope-reorder"),
        *SLOWEST,
    ],
}


def main() -> int:
    with tempfile.TemporaryDirectory(prefix="causerie-seed-") as folder:
        return checked(folder)


def checked(folder: str) -> int:
    passed = failed = 0
    environment = {**os.environ, "ENV_FILE": os.devnull, "DEMO": "on", "COLUMNS": "100"}
    # The checks take one core. The other fetches servers and a browser, and makes the data
    # that all tests start with.
    fetching = ThreadPoolExecutor(1)
    servers, fetching_chromium = fetching.submit(fetch_servers), fetching.submit(browser)
    sowing = subprocess.Popen([sys.executable, "-m", "tests.seed", folder], cwd=ROOT)
    for heading, command in CHECKS.items():
        print(f"\n== {heading}: {' '.join(command)}", flush=True)
        if subprocess.run([BIN / command[0], *command[1:]], cwd=ROOT, env=environment).returncode:
            failed += 1
        else:
            passed += 1
    if sowing.wait() == 0:
        environment["SEED"] = folder
    else:
        failed += 1
    servers.result()
    for heading, command in TESTS.items():
        print(f"\n== {heading}: {' '.join(command)}", flush=True)
        if heading == "Browser tests":
            environment["CHROMIUM"] = fetching_chromium.result()
            if not environment["CHROMIUM"]:
                failed += 1
                continue
        good, bad = count(command, environment)
        passed, failed = passed + good, failed + bad
    print(f"\n{passed} passed, {failed} failed", flush=True)
    return 1 if failed else 0


def count(command: list[str], environment: dict[str, str]) -> tuple[int, int]:
    """Run pytest, show its output, and read the numbers of passed and failed tests from its last
    line."""
    last = ""
    with subprocess.Popen(
        [str(BIN / command[0]), *command[1:]],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as tests:
        assert tests.stdout is not None
        for line in tests.stdout:
            print(line, end="", flush=True)
            last = line if line.strip() else last
    counted = [(int(number), kind) for number, kind in COUNTED.findall(last)]
    passed = sum(number for number, kind in counted if kind == "passed")
    failed = sum(number for number, kind in counted if kind != "passed")
    if tests.returncode and not failed:
        failed = 1  # it broke before it could count
    return passed, failed


def fetch_servers() -> None:
    """Install a virus scanner and two proxies if they are missing and we may. Without them, the
    tests that ask them are skipped."""
    missing = [package for program, package in SERVERS.items() if not shutil.which(program)]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"Installing {', '.join(missing)} from the system's packages ...", flush=True)
        apt("update")
        apt("install", "-y", "--no-install-recommends", *missing)


def browser() -> str:
    """Return the path of a Chromium: the requested one, or the lightest there is, installed first
    if we may; empty if there is none."""
    if asked := os.environ.get("CHROMIUM"):
        return asked
    if not shutil.which(SHELL) and os.geteuid() == 0 and shutil.which("apt-get"):
        print("Installing Chromium from the system's packages ...", flush=True)
        apt("update")
        if not apt("install", "-y", "--no-install-recommends", SHELL) and not chromium():
            apt("install", "-y", "--no-install-recommends", "chromium")
    if not chromium():
        print("The browser tests need Chromium from your system's packages: apt install chromium")
    return chromium()


def apt(*command: str) -> bool:
    """Run apt-get and return whether it succeeded."""
    # By this runlevel, no package starts its service.
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(["apt-get", "-qq", *command], env=quiet, stdout=subprocess.DEVNULL)
    return done.returncode == 0


def chromium() -> str:
    return next(filter(None, map(shutil.which, CHROMIUM)), "")


if __name__ == "__main__":
    sys.exit(main())
