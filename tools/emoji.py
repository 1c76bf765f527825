"""``python -m tools.emoji FOLDER``: the picker's data, from an unpacked emojibase-data of npm.

Kept: what most systems draw (Emoji 14 and before), its name and the words it is found by. Skin
tones and loose components are left out; a group is named and led by its first emoji.
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
        groups = table(
            json.loads((folder / "data.json").read_text()),
            json.loads((folder / "messages.json").read_text())["groups"],
        )
        lines = ",\n".join(
            json.dumps(group, ensure_ascii=False, separators=(",", ":")) for group in groups
        )
        (TARGET / f"{language}.json").write_text(f"[\n{lines}\n]\n")


def table(emoji: list[dict[str, Any]], names: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """[{"name": "animals & nature", "emoji": [["🐵", "monkey face", "monkey"], ...]}, ...]"""
    groups = []
    for number, name in enumerate(names):
        if number == COMPONENT:
            continue
        kept = [
            [one["emoji"], one["label"], " ".join(one.get("tags", []))]
            for one in sorted(emoji, key=lambda one: one.get("order", 0))
            if one.get("group") == number and one["version"] <= NEWEST
        ]
        groups.append({"name": name["message"], "emoji": kept})
    return groups


if __name__ == "__main__":
    main()
