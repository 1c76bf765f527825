"""A wrong environment stops the start with one clear line."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from config import channel_providers, environment, rate_limits

PRODUCTION = {
    "SECRET_KEY": "a-long-secret-of-many-characters-0123456789-abcdefghijk",
    "ALLOWED_HOSTS": "chat.example.com",
    "DEMO": "off",
    "DEBUG": "off",
}


def run(root: Path, environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    """Run Python in the checkout, with this environment and none of the tests' own."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return subprocess.run(
        [sys.executable, *command],
        cwd=root,
        env={**inherited, "ENV_FILE": os.devnull, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize(
    ("environment", "line"),
    [
        ({"PORT": "eighty"}, "PORT is a number from 1 to 65535, not 'eighty'"),
        ({"PORT": "70000"}, "PORT is a number from 1 to 65535, not '70000'"),
        ({"WEB_PROCESSES": "-1"}, "WEB_PROCESSES is a number from 1 to 64, not '-1'"),
        ({"WEB_SERVER": "apache"}, "WEB_SERVER is daphne or uvicorn, not 'apache'"),
        ({"DEMO": "perhaps"}, "DEMO is on or off, not 'perhaps'"),
        (
            {"DATABASE_URL": "mysql://localhost/causerie"},
            "DATABASE_URL is postgresql://user:password@host:port/name",
        ),
        ({"REDIS_URL": "localhost:6379"}, "REDIS_URL is redis://user:password@host:port"),
        (
            {"EMAIL_URL": "imap://localhost:25"},
            "EMAIL_URL is smtp, smtps or smtp+tls://user:password@host:port",
        ),
        (
            {"RATE_LIMITS": "on", "RATE_MESSAGES": "visitor often"},
            "RATE_MESSAGES is such as 'visitor 60/minute, address",
        ),
        (
            {"PRIVATE_SERVERS": "10.0.0.0/8, 10.0.0.1/8"},
            "PRIVATE_SERVERS is such as llm.internal:11434,10.1.0.0/16, not '10.0.0.1/8'",
        ),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL is DEBUG, INFO, WARNING or ERROR, not 'LOUD'"),
        (
            {**PRODUCTION, "SECRET_KEY": ""},
            "SECRET_KEY is missing (or set DEMO=on for a trial on this machine)",
        ),
        (
            {**PRODUCTION, "SECRET_KEY": "change-me"},
            "SECRET_KEY is too easy to guess: take 50 random characters or more",
        ),
        (
            {**PRODUCTION, "SECRET_KEY_FALLBACKS": f"{'0123456789' * 6},change-me"},
            "SECRET_KEY_FALLBACKS is too easy to guess: take 50 random characters or more",
        ),
        (
            {**PRODUCTION, "ALLOWED_HOSTS": ""},
            "ALLOWED_HOSTS is missing: the names under which people reach this server",
        ),
        (
            {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x", "REDIS_URL": "redis://127.0.0.1"},
            "PostgreSQL does not answer: connection failed",
        ),
    ],
)
def test_a_wrong_value_stops_the_start_with_one_line(
    root: Path, tmp_path: Path, environment: dict[str, str], line: str
) -> None:
    environment = {"VAR": str(tmp_path), "PORT": str(free_port()), **environment}
    done = run(root, environment, "-m", "config.supervisor")
    assert done.stdout == ""
    assert done.stderr.startswith(f"causerie: {line}")
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


NAMES = """
from config import settings as s
print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME, s.LANGUAGE_COOKIE_SECURE)
"""


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        (PRODUCTION, "__Host-sessionid __Host-csrftoken __Host-django_language True"),
        ({"DEMO": "on"}, "sessionid csrftoken django_language False"),
    ],
)
def test_cookies_over_https_have_the_host_prefix(
    root: Path, tmp_path: Path, environment: dict[str, str], names: str
) -> None:
    done = run(root, {"VAR": str(tmp_path), **environment}, "-c", NAMES)
    assert done.stdout.strip() == names, done.stderr


def test_an_unreachable_valkey_is_named(root: Path, tmp_path: Path) -> None:
    environment = {
        "VAR": str(tmp_path),
        "PORT": str(free_port()),
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    done = run(root, environment, "-m", "config.supervisor")
    assert done.stderr.startswith("causerie: Valkey does not answer: ")
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


def test_a_port_in_use_stops_the_start_first(root: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        environment = {"VAR": str(tmp_path / "var"), "PORT": port, "SECRET_KEY": "x", "DEMO": "on"}
        done = run(root, environment, "-m", "config.supervisor")
    assert done.stderr == (
        f"causerie: cannot listen on 127.0.0.1, port {port}: "
        "Address already in use (PORT chooses another)\n"
    )
    assert done.returncode == 1
    assert not (tmp_path / "var" / "postgres").exists()


def test_production_passes_djangos_own_check(root: Path, tmp_path: Path) -> None:
    command = ("manage.py", "check", "--deploy", "--fail-level", "WARNING")
    done = run(root, {**PRODUCTION, "VAR": str(tmp_path)}, *command)
    assert done.stdout == "System check identified no issues (0 silenced).\n"
    assert (done.stderr, done.returncode) == ("", 0)


def test_the_env_file_is_read_and_the_environment_wins(root: Path, tmp_path: Path) -> None:
    file = tmp_path / "env"
    file.write_text("# a comment\n\nPORT=8123\nHOST='127.0.0.2'\n")
    environment = {"VAR": str(tmp_path), "ENV_FILE": str(file), "PORT": "8124"}
    show = "from config import settings; print(settings.HOST, settings.PORT)"
    assert run(root, environment, "-c", show).stdout == "127.0.0.2 8124\n"


def test_every_variable_is_described(root: Path) -> None:
    example = (root / ".env.example").read_text()
    code = "".join(path.read_text() for path in (root / "config").glob("*.py"))
    readers = "text|number|flag|program|words|mail|mailbox|address|private_servers|scanner|storage"
    read = set(re.findall(rf'\b(?:{readers})\(\s*"([A-Z_]+)"', code)) - {"ENV_FILE"}
    read |= {
        "RATE_LIMITS",
        "RATE_PLACES_PERCENT",
        *(f"RATE_{door.upper()}" for door in rate_limits.DEFAULTS),
        *(f"{kind.upper()}_API" for kind in channel_providers.DEFAULTS),
    }
    assert read == set(re.findall(r"^#([A-Z_]+)=", example, flags=re.MULTILINE))


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def test_a_program_whose_packages_are_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WEB_SERVER", "no_such_server")
    with pytest.raises(SystemExit, match=r"pip install -r requirements/no_such_server\.txt"):
        environment.program("WEB_SERVER", "daphne", ("daphne", "no_such_server"))
