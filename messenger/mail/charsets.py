"""Decoding of an e-mail's bytes: the true meaning of encoding labels, and what to do with wrong
ones.

Labels are read as browsers read them (the WHATWG Encoding Standard): ``iso-8859-1`` and
``us-ascii`` mean windows-1252, ``gb2312`` means gb18030, and so on. A wrong byte costs its own
character, never the whole text.
"""

from __future__ import annotations

import codecs
import re

# Labels for which Python's codec of that name knows less than mail programs send.
SUPERSETS = {
    "cp1252": (
        "ansi_x3.4-1968 ascii cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591 "
        "iso_8859-1 iso_8859-1:1987 l1 latin1 latin-1 us-ascii us_ascii x-cp1252 ansi x-ansi"
    ),
    "cp1250": "x-cp1250",
    "cp1251": "x-cp1251",
    "cp1253": "x-cp1253",
    "cp1254": (
        "csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 "
        "latin5 x-cp1254"
    ),
    "cp1255": "x-cp1255",
    "cp1256": "x-cp1256",
    "cp1257": "x-cp1257",
    "cp1258": "x-cp1258",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 tis620 windows-874",
    "gb18030": (
        "chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk cp936 ms936"
    ),
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "cp949": (
        "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 "
        "ksc_5601 windows-949"
    ),
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "euc_jis_2004": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso2022_jp_ext": "csiso2022jp iso-2022-jp iso-2022-jp-ms cp50220 cp50221",
    "koi8_u": "koi8-u koi8-ru",
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf8 utf-8 utf8mb4 x-unicode20utf8",
    "utf-16-le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
    "utf-16-be": "unicodefffe utf-16be",
    "utf-7": "unicode-1-1-utf-7 csunicode11utf7 x-utf-7",
    "mac_roman": "csmacintosh macintosh mac x-mac-roman",
    "mac_cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "iso8859-8": "iso-8859-8-i iso-8859-8-e csiso88598i logical visual",
}
LABELS = {label: codec for codec, labels in SUPERSETS.items() for label in labels.split()}

MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

_META = re.compile(
    rb"""<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}["']?\s{0,9}([-\w.:]{1,40})""", re.IGNORECASE
)
META_BYTES = 4096


def codec_for(label: str | None) -> str | None:
    """Return the name of the codec for a label, or ``None`` if it is unknown."""
    name = (label or "").strip().strip("\"'").lower()
    if not name:
        return None
    try:
        known = LABELS.get(name) or codecs.lookup(name).name
        # Some Python codecs do not encode text (zip, rot13) or not all bytes (idna).
        return known if isinstance(b" \xff".decode(known, "replace"), str) else None
    except (LookupError, ValueError, AssertionError):
        return None


def meta_label(html: bytes) -> str | None:
    """Return the encoding that an HTML document declares."""
    match = _META.search(html[:META_BYTES])
    return match[1].decode("ascii", "replace") if match else None


def decode(raw: bytes, label: str | None, *, is_html: bool = False) -> str:
    """Decode ``raw`` as labelled; never fail."""
    for mark, marked in MARKS:
        if raw.startswith(mark):
            return raw[len(mark) :].decode(marked, "replace")
    codec = codec_for(label)
    says_nothing = codec is None or (label or "").strip().lower() in {"us-ascii", "ascii"}
    if says_nothing:
        named = codec_for(meta_label(raw)) if is_html else None
        # A document whose declaration is readable in bytes is not UTF-16.
        codec = "utf-8" if named and named.startswith("utf-16") else named
    if codec is None or codec == "utf-8":
        return _utf_8(raw, was_named=codec is not None)
    return raw.decode(codec, "replace")


def _utf_8(raw: bytes, *, was_named: bool) -> str:
    """Decode as UTF-8 if it is, or as windows-1252 if the label was wrong or missing."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        text = raw.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    is_utf_8 = any(character > "\x7f" and character != "\ufffd" for character in text)
    # A single wrong byte in what is named UTF-8 is damage, several are another encoding.
    if is_utf_8 or (was_named and wrong == 1):
        return text
    return raw.decode("cp1252", "replace")
