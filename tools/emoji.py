"""``python -m tools.emoji FOLDER``: build the picker's data from npm's unpacked emojibase-data.

Contains what most systems draw (Emoji 14 and earlier), with names and search words, without skin
tones and loose components. A group's first emoji stands for the group.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

TARGET = Path(__file__).resolve().parent.parent / "static" / "vendor" / "emojibase"
LANGUAGES = ("en", "fr")
NEWEST = 14
COMPONENT = 2


def main() -> None:
    source = Path(sys.argv[1])
    TARGET.mkdir(exist_ok=True)
    for language in LANGUAGES:
        folder = source / language
        groups = groups_of(
            json.loads((folder / "data.json").read_text()),
            json.loads((folder / "messages.json").read_text())["groups"],
        )
        lines = ",\n".join(
            json.dumps(group, ensure_ascii=False, separators=(",", ":")) for group in groups
        )
        (TARGET / f"{language}.json").write_text(f"[\n{lines}\n]\n")


def groups_of(emoji: list[dict[str, Any]], names: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{"name": "animals & nature", "emoji": [["🐵", "monkey face", "monkey"], ...]}, ...]."""
    groups = []
    for number, name in enumerate(names):
        if number == COMPONENT:
            continue
        rows = [
            [one["emoji"], one["label"], " ".join(one.get("tags", []))]
            for one in sorted(emoji, key=lambda one: one.get("order", 0))
            if one.get("group") == number and one["version"] <= NEWEST
        ]
        groups.append({"name": name["message"], "emoji": rows})
    return groups


if __name__ == "__main__":
    main()
