"""No file of the repository holds a secret of somebody's account, or a private key."""

from __future__ import annotations

import re
import subprocess

import pytest

from tests.test_cryptography import ROOT

PATTERNS = {
    "a private key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*[A-Za-z0-9+/]{40}",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\b(?:gh[pousr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{60,})",
    "a Slack token": r"\bxox[abeoprs]-[0-9]{8,}-[A-Za-z0-9-]{10,}",
    "a Slack webhook": r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}",
    "a Stripe key": r"\b[rs]k_live_[A-Za-z0-9]{20,}",
    "a Google key": r"\bAIza[A-Za-z0-9_-]{35}\b",
    "an OpenAI or Anthropic key": r"\bsk-(?:ant-|proj-)[A-Za-z0-9_-]{30,}",
}


def found(text: str) -> list[str]:
    return [name for name, pattern in PATTERNS.items() if re.search(pattern, text)]


def test_no_file_holds_a_secret() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    files = [ROOT / name for name in listed.stdout.split("\0") if name]
    assert len(files) > 1000
    held = {}
    for file in files:
        if file.is_file() and (names := found(file.read_text(errors="ignore"))):
            held[str(file.relative_to(ROOT))] = names
    assert held == {}


@pytest.mark.parametrize(
    "secret",
    [
        "-----BEGIN PRIVATE KEY-----\n" + "M" * 64,
        "AKIA" + "A" * 16,
        "ghp_" + "a" * 36,
        "xoxb-" + "1" * 10 + "-" + "a" * 12,
        "https://hooks.slack.com/services/T" + "A" * 8 + "/B" + "A" * 8 + "/" + "a" * 24,
        "sk_live_" + "a" * 24,
        "AIza" + "a" * 35,
        "sk-ant-" + "a" * 40,
    ],
)
def test_a_secret_is_found(secret: str) -> None:
    assert len(found(f'KEY = "{secret}"')) == 1
