"""Attribution lines, which mail programs write above the quoted e-mail.

Either a sentence ("On Mon, 5 Mar 2035 at 10:01, Maison <a@b.c> wrote:"), often wrapped, or a block
of headers ("From: ... Sent: ..."), sometimes below a rule. A sentence is recognized by what it has
in every language (an address or a moment, a final colon), so no list of languages is needed. The
names of headers are words, and are listed. Pure functions of lines.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

LINES = 5
"""Into how many lines a sentence can be wrapped."""

LENGTH = 400

_ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+|\[mailto:")
_TIME = re.compile(r"\b\d{1,2}\s?[:.hH]\s?\d{2}\b|\b\d{1,2}\s?(?:AM|PM)\b", re.IGNORECASE)
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d{2}(?!\d)|\b\d{1,2}[/.-]\d{1,2}[/.-]\d{2,4}\b|[٠-٩۰-۹]{4}")
_COLON = re.compile(r"[:：]\s*[*_>]*\s*$")
_SAID = re.compile(
    r"\b(?:wrote|writes|a écrit|schrieb|escribió|escribio|ha scritto|escreveu|schreef|skrev|napisał"
    r"|napisał\(a\)|napisała|kirjoitti|napsal|napsal\(a\)|napísal|írta|a scris|yazdı|έγραψε"
    r"|написал|написала|пишет|пише|написав|va escriure)\b|写道|寫道|작성|のメール|wrote",
    re.IGNORECASE,
)
# The beginning of a sentence that is wrapped within its date.
_OPENS = re.compile(
    r"(?:on|le|am|el|il(?: giorno)?|em|op|w dniu|dnia|den|dne|în|στις|la|a|à|(?:в|у) )\b",
    re.IGNORECASE,
)
_WRITER = re.compile(r"<[^<>\s]+@[^<>\s]+>\)?,?\s*$")
_SENTENCE_ENDS = re.compile(r"[.!?…]\s*$")

RULE = re.compile(
    r"[-_=*‐‑–—]{5,}(?:\s*[^-_=*‐‑–—]{0,60}?\s*[-_=*‐‑–—]{3,})?|[-–—]{2,} ?[^-]{3,60} ?[-–—]{2,}"
)
_BEGUN = re.compile(
    r"(?:début du message (?:transféré|réexpédié)|begin forwarded message"
    r"|anfang der weitergeleiteten nachricht|message (?:d['’]origine|original|transféré)"
    r"|original message|mensaje original|messaggio originale|ursprüngliche nachricht"
    r"|oorspronkelijk bericht"
    r"|message du [\d/.: h]{6,20})\s*:?",
    re.IGNORECASE,
)

# The names of headers in the languages of mail programs, by role.
HEADERS: dict[str, str] = {
    role: f"|{names}|"
    for role, names in {
        "from": (
            "from|de|von|da|van|od|från|fra|от|від|lähettäjä|kimden|gönderen|feladó|odesílatel|od"
            "|odosielateľ|expéditeur|remitente|mittente|afzender|nadawca|avsändare|afsender|avsender"
            "|από|差出人|送信者|发件人|寄件者|보낸 사람|보낸사람|من|מאת"
            "|message de"
        ),
        "date": (
            "date|sent|envoyé|envoyé le|date d’envoi|gesendet|datum|fecha|enviado|enviado el"
            "|enviada em|enviado em|data|inviato|data invio|verzonden|verzonden op|wysłano|wysłane"
            "|data wysłania|skickat|sendt|dato|дата|отправлено|отправлен|надіслано|päivämäärä"
            "|lähetetty|tarih|gönderildi|gönderilme tarihi|dátum|elküldve|küldve|odesláno|odoslané"
            "|trimis|ημερομηνία|στάλθηκε|日時|送信日時|发送时间|发送日期|日期|寄件日期"
            "|보낸 날짜|날짜|التاريخ|نשלח|תאריך|message du"
        ),
        "to": (
            "to|à|a|an|para|per|aan|do|komu|till|til|кому|vastaanottaja|kime|alıcı|címzett|către"
            "|προς|destinataire|pour|destinatario|destinatário|empfänger|宛先|收件人|收件者"
            "|받는 사람|받는사람|إلى|אל"
        ),
        "cc": (
            "cc|copie|copie à|kopie|copia|cópia|kopia|kopi|копия|másolatot kap|dw|ccn|bcc|抄送|副本"
            "|참조"
        ),
        "subject": (
            "subject|objet|sujet|betreff|asunto|oggetto|assunto|onderwerp|temat|ämne|emne|тема|aihe"
            "|konu|tárgy|předmět|predmet|subiect|θέμα|件名|主题|主旨|제목|الموضوع|נושא|re"
        ),
        "reply": "reply-to|répondre à|antwort an|responder a|rispondi a|odpowiedz do",
        "other": "importance|priority|priorité|wichtigkeit|attachments|pièces jointes|anlagen",
    }.items()
}
_HEADER = re.compile(r"[*_]{0,3}([^\W\d][\w()'’. -]{0,24}?)[*_]{0,3}\s*[:：]\s?[*_]{0,3}(.*)")


def plain(line: str) -> str:
    """Return a line without asterisks, underscores and extra blanks of mark-up."""
    return " ".join(line.replace("*", " ").replace("_", " ").split())


def is_sentence(text: str) -> bool:
    """Return whether ``text``, one or more lines, is such a sentence from its date or name on."""
    sentence = " ".join(text.split())
    if not sentence or len(sentence) > LENGTH:
        return False
    has_address = _ADDRESS.search(sentence) is not None
    has_moment = bool(_YEAR.search(sentence)) and bool(_TIME.search(sentence))
    if _COLON.search(sentence):
        is_dated = _YEAR.search(sentence) is not None and _SAID.search(sentence) is not None
        return has_address or has_moment or is_dated
    return bool(_SAID.search(sentence)) and has_address and has_moment


def is_saying(text: str) -> bool:
    """Return whether it says that somebody wrote, with nothing but a colon after it."""
    sentence = " ".join(text.split())
    return (
        len(sentence) <= LENGTH and bool(_COLON.search(sentence)) and bool(_SAID.search(sentence))
    )


def has_moment_or_address(text: str) -> bool:
    return _ADDRESS.search(text) is not None or _TIME.search(text) is not None


def sentence_start(lines: Sequence[str], end: int) -> int | None:
    """Return the start of the sentence that ends just above ``lines[end]``, or ``None``."""
    for count in range(1, LINES + 1):
        start = end - count
        if start < 0 or not lines[start].strip():
            return None
        joined = " ".join(lines[start:end])
        # More ">" than "<" are marks of a quote within a quote.
        if is_sentence(joined) and joined.count(">") <= joined.count("<"):
            return _with_its_date(lines, start, joined)
    return None


def _with_its_date(lines: Sequence[str], start: int, joined: str) -> int:
    """Extend it upwards to a line with the missing moment, the writer or the start of the date."""
    for above in range(start - 1, max(-1, start - 3), -1):
        line = lines[above].strip()
        if not line or len(line) > 160 or _SENTENCE_ENDS.search(line):
            break
        needs_moment = not (_YEAR.search(joined) and _TIME.search(joined))
        has_moment = _YEAR.search(line) and _TIME.search(line)
        begins = (
            _OPENS.match(line) and any(one.isdigit() for one in line) and not _OPENS.match(joined)
        )
        has_writer = _WRITER.search(line) and not _ADDRESS.search(joined)
        if (needs_moment and has_moment) or (begins and _ends_within(line)) or has_writer:
            return above
        joined = f"{line} {joined}"
    return start


def _ends_within(line: str) -> bool:
    """Return whether the line cannot end a sentence: comma, open bracket, number, short word."""
    return re.search(r"(?:[,<]|\d|\b(?:at|à|um|a las|às|alle|om|o|kl\.?))\s*$", line) is not None


def header_role(line: str) -> str | None:
    """Return which header a line is: ``from``, ``date``, ``to``, ``cc``, ``subject`` ..."""
    match = _HEADER.fullmatch(line.strip()) if len(line) < 2 * LENGTH else None
    if match is None:
        return None
    name = f"|{' '.join(match[1].lower().replace(chr(39), '’').split())}|"
    return next((role for role, names in HEADERS.items() if name in names), None)


def headers_end(lines: Sequence[str], start: int) -> tuple[int, set[str]]:
    """Return where the block of headers from ``start`` on ends, and its headers.

    The block of an e-mail names each header once only.
    """
    roles: set[str] = set()
    end = at = start
    while at < len(lines) and at <= end + 1:
        role = header_role(lines[at])
        if role is not None and role in roles and role != "other":
            break
        if role is not None:
            roles.add(role)
            end = at + 1
        elif lines[at].strip() and not _continues(lines, at, end):
            break
        elif lines[at].strip():
            end = at + 1
        at += 1
    return end, roles


def _continues(lines: Sequence[str], at: int, end: int) -> bool:
    """Return whether a long list of addresses continues on this line."""
    return at == end and _ADDRESS.search(lines[at]) is not None and len(lines[at]) < 200


def is_rule(line: str) -> bool:
    """Return whether a line only separates: "-----Original Message-----", or a stroke."""
    text = line.strip()
    if len(text) > LENGTH // 2:
        return False
    return RULE.fullmatch(text) is not None or _BEGUN.fullmatch(plain(text)) is not None
