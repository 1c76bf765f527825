"""Removal of what mail programs add below the words, if certainly nobody typed it.

"Kind regards" and a name are words. Only two things are cut: a signature below its RFC 3676
delimiter ("-- " with its space), up to the first empty line, and the one line with which phones and
programs advertise themselves.
"""

from __future__ import annotations

import re

LINES = 8

_POSTSCRIPT = re.compile(r"\s*(?:p\.?\s?s\.?|n\.?\s?b\.?)\s*[:.\s]", re.IGNORECASE)

_SENT = (
    r"sent (?:from|with|using)|envoyé (?:de|depuis|à partir de|avec)|provenance\s?:"
    r"|gesendet (?:von|mit)|von(?= mein)|diese nachricht wurde von"
    r"|enviado (?:desde|do|de|a partir do|con)|enviada do|inviato (?:da|dal|con)"
    r"|verzonden (?:vanaf|van|met)|verstuurd (?:vanaf|met)|wysłan[eyo] (?:z|ze)|skickat från"
    r"|sendt fra|lähetetty|odesláno (?:z|ze)|отправлено (?:с|из)|надіслано (?:з|із)|从我的|來自我的"
    r"|发自我的"
)
# Phones, and programs by their full names: "by post" and "by mail" are words of people.
_BY = (
    r"iphone|ipad|ipod|android|galaxy|samsung|huawei|honor|xiaomi|redmi|poco|pixel|oneplus|oppo"
    r"|realme|motorola|nokia|xperia|fairphone|wiko|blackberry|windows (?:phone|mail)|outlook"
    r"|gmail|yahoo(?: mail|!)?|aol(?: mail)?|proton ?mail|tutanota|thunderbird|spark|bluemail"
    r"|k-9(?: mail)?|fairemail|zoho mail|icloud|(?:mail )?orange(?: mail)?|sfr mail|mail sfr"
    r"|free mail|laposte\.net|gmx(?: mail)?|web\.de|t-online|freenet(?: mail)?|mail\.ru|yandex"
    r"|onet|interia|libero(?: mail)?|smartphone|mobiltelefon|handy|handset|téléphone|telefon"
    r"|telefoon|teléfono|telefone|cellulare|celular|móvil|telemóvel|tablette|tablet|mobile"
    r"|phone|mail for windows|courrier pour windows|mail für windows|correo para windows"
    r"|posta per windows"
)
# Words that may come between and after them; no others, so that no real sentence matches.
_BESIDE = (
    r"my|on|mon|ma|meinem|meiner|mi|meu|minha|mio|mia|mijn|mojego|mojej|min|mit|моего|мого|the|new"
    r"|for|pour|für|para|per|voor|dla|för|le|la|l|der|das|app|application|appli|mobile|mobil"
    r"|ios|android|5g|4g|pro|max|plus|mini|ultra|note|edge|se|email|e-?mail|mail|secure"
    r"|portable|device|appareil|puhelimesta|gesendet|sent|envoyé|10|11|\d{1,2}"
    r"|[as]\d{1,3}[a-z]{0,2}"
)
_PROGRAMS = r"outlook|bluemail|gmail|spark|aquamail|yahoo mail|proton mail"
_GET = (
    r"(?:get|télécharger|téléchargez|obtenez|obtenir|obtener|obtén|obtenga|scarica|ottieni"
    r"|download|laden sie|holen sie sich|hämta|pobierz|obter|hent)"
)
_MACHINES = re.compile(
    rf"(?:{_SENT})(?:[ ']+(?:{_BESIDE}))*[ ']*(?:{_BY})(?:[ ']+(?:{_BESIDE}|{_BY}))*\.?"
    rf"|{_GET} (?:{_PROGRAMS}) (?:for|pour|für|para|per|voor|dla|för|til)"
    r" (?:ios|android|mac|windows)",
    re.IGNORECASE,
)
_ADDRESS = re.compile(r"\s*[<(\[]?https?://[^\s>)\]]*[>)\]]?\s*")


def is_advertising(line: str) -> bool:
    """Return whether a line is only "Sent from my iPhone" or the like."""
    if len(line) > 200:
        return False
    bare = _ADDRESS.sub(" ", line).replace("’", "'").strip(" *_[]()-–—\t\u00a0")
    return len(bare) <= 90 and _MACHINES.fullmatch(" ".join(bare.split())) is not None


def trim(lines: list[str]) -> list[str]:
    """Return ``lines`` without what a program has added at their end."""
    remaining = _without_advertising(lines)
    start = next(
        (
            at
            for at in range(len(remaining) - 1, max(-1, len(remaining) - LINES - 2), -1)
            if remaining[at] == "-- "
        ),
        None,
    )
    if start is None:
        return remaining
    signature = remaining[start + 1 :]
    if any(not line.strip() or _POSTSCRIPT.match(line) for line in signature):
        return remaining
    return _without_advertising(remaining[:start])


def _without_advertising(lines: list[str]) -> list[str]:
    remaining = list(lines)
    while remaining:
        if (not remaining[-1].strip() and remaining[-1] != "-- ") or is_advertising(remaining[-1]):
            remaining.pop()
        elif (
            len(remaining) > 1
            and _ADDRESS.fullmatch(remaining[-1])
            and is_advertising(remaining[-2])
        ):
            del remaining[-2:]
        else:
            break
    return remaining
