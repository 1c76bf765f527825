"""Whether an office document carries programs: macros, scripts, controls, or a template elsewhere.

What a part of a document is, its content type and its relationships say; its name and its folder
are the author's choice. So the declarations are parsed, because an encoding or a character
reference would hide a word from a search, and the usual names are looked for besides.

This code runs in the decoding process (``decoder``), so it imports neither Django nor anything that
does.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable
from typing import IO
from xml.parsers import expat

from conversations.messages.file_refusals import Reason, Unacceptable

DECLARED_BYTES = 8 * 2**20
"""The most that the declarations of a document may unpack to, together."""
TEXT_BYTES = 128 * 2**20
"""The same for the text of an OpenDocument file, which is read piece by piece."""
MOST_MEMBERS = 10_000

# Folders and files by their usual names, in lower case and without extension.
FOLDERS = {"macrosheets", "activex", "basic", "scripts", "dialogs"}
FILES = {"vbaproject", "vbadata", "script-lb", "script-lc"}
# In content types and types of relationships.
PROGRAMS = re.compile(r"macro|vba|activex|attachedtoolbars", re.IGNORECASE)
# A document based on a template on some server takes its macros from there. Templates on the
# author's own disk are usual, and mean nothing here.
REMOTE = re.compile(r"(attachedtemplate|frame|oleobject)$", re.IGNORECASE)
OWN_DISK = re.compile(r"\s*(file:)?/{0,3}[a-z]:|[^:/\\]*$", re.IGNORECASE)
# What an OpenDocument event may call.
CALLS = re.compile(r"\s*(vnd\.sun\.star\.script|macro):", re.IGNORECASE)
WITH_EVENTS = {"content.xml", "styles.xml", "settings.xml"}


def check(archive: zipfile.ZipFile) -> None:
    """Raise ``Unacceptable`` if the zipped document carries a program, or if two of its members
    have one name, so that we might read the one and its reader the other."""
    names = [member.filename for member in archive.infolist()]
    same = [name.replace("\\", "/").lower() for name in names]
    if len(set(same)) < len(same) or len(names) > MOST_MEMBERS:
        raise Unacceptable(Reason.DAMAGED)
    if any(_is_program(name) for name in same):
        raise Unacceptable(Reason.MACROS)
    _check_declarations(archive)
    _check_events(archive)


def _is_program(name: str) -> bool:
    *folders, file = name.split("/")
    return bool(FOLDERS & set(folders)) or file.split(".")[0] in FILES


def _check_declarations(archive: zipfile.ZipFile) -> None:
    left = DECLARED_BYTES
    for member in archive.infolist():
        name = member.filename.lower()
        if not (name == "[content_types].xml" or name.endswith(".rels")):
            continue
        left -= member.file_size
        if left < 0:
            raise Unacceptable(Reason.DAMAGED)
        with archive.open(member) as opened:
            _parse(opened, _refuse_declared)


def _check_events(archive: zipfile.ZipFile) -> None:
    left = TEXT_BYTES
    for member in archive.infolist():
        if member.filename.lower().rsplit("/", 1)[-1] not in WITH_EVENTS:
            continue
        left -= member.file_size
        if left < 0:
            raise Unacceptable(Reason.DAMAGED)
        with archive.open(member) as opened:
            _parse(opened, _refuse_called)


def _parse(opened: IO[bytes], refuse: Callable[[str, dict[str, str]], None]) -> None:
    """Call ``refuse`` with the name and the attributes of each element."""
    parser = expat.ParserCreate()
    parser.StartElementHandler = refuse
    try:
        parser.ParseFile(opened)
    except expat.ExpatError:
        raise Unacceptable(Reason.DAMAGED) from None


def _refuse_declared(_name: str, attributes: dict[str, str]) -> None:
    kind = attributes.get("ContentType", "") + attributes.get("Type", "")
    is_outside = attributes.get("TargetMode", "").lower() == "external"
    is_remote = is_outside and not OWN_DISK.match(attributes.get("Target", ""))
    if PROGRAMS.search(kind) or (is_remote and REMOTE.search(kind)):
        raise Unacceptable(Reason.MACROS)


def _refuse_called(_name: str, attributes: dict[str, str]) -> None:
    if any(CALLS.match(value) for value in attributes.values()):
        raise Unacceptable(Reason.MACROS)
