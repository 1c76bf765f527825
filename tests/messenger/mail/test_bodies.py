"""The parts of the mail reader one by one: automatic replies, files, encodings, links."""

from __future__ import annotations

import io
from email import message_from_bytes, message_from_string
from email.message import EmailMessage

import pytest
from PIL import Image

from messenger.mail import html_text, signatures
from messenger.mail.auto_replies import is_automatic
from messenger.mail.charsets import codec_for, decode
from messenger.mail.flowed import rejoin
from messenger.mail.parsing import parse

HEAD = "From: jeanne@example.org\n"


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: auto-replied",
        "Auto-Submitted: auto-generated (rejected)",
        "X-Autoreply: yes",
        "X-Autorespond: Lamp",
        "X-Auto-Response-Suppress: All",
        "Precedence: auto_reply",
        "Precedence: junk",
        "Preference: auto_reply",
        "X-POST-MessageClass: 9; Autoresponder",
        "Delivered-To: Autoresponder",
        "Return-Path: <>",
        "Subject: Automatic reply: Alice has answered you",
        "Subject: Réponse automatique : Alice vous a répondu",
        "Subject: =?utf-8?q?R=C3=A9ponse_automatique=C2=A0=3A_x?=",
        "Subject: Automatische Antwort: x",
        "Subject: Abwesenheitsnotiz: x",
        "Subject: Respuesta automática: x",
        "Subject: Risposta automatica: x",
        "Subject: Resposta automática: x",
        "Subject: Automatisch antwoord: x",
        "Subject: Odpowiedź automatyczna: x",
        "Subject: Autosvar: x",
        "Subject: Автоматический ответ: x",
        "Subject: 自動返信：x",
        "Subject: Out of Office Re: x",
        "Subject: Out of office",
        "Content-Type: multipart/report; boundary=a",
    ],
)
def test_automatic_mails_are_recognized(header: str) -> None:
    assert is_automatic(message_from_bytes(f"{HEAD}{header}\n\nI am away.".encode()))


@pytest.mark.parametrize(
    "header",
    [
        "Auto-Submitted: no",
        "List-Id: <friends.example.org>\nPrecedence: list",
        "List-Id: <friends.example.org>\nPrecedence: bulk\nList-Unsubscribe: <mailto:a@b.c>",
        "X-Google-Group-Id: 4711",
        "X-Loop: friends@example.org",
        "X-Auto-Response-Suppress: DR, OOF, AutoReply",
        "Precedence: normal",
        "Return-Path: <jeanne@example.org>",
        "Subject: Re: Automatic reply: Lamp",
        "Subject: Out of office furniture",
        "Subject: Auto",
        "Subject: Absent le lundi, est-ce un problème ?",
        "Subject: Re: Réponse",
    ],
)
def test_mails_of_people_are_not_automatic(header: str) -> None:
    assert not is_automatic(message_from_string(f"{HEAD}{header}\n\nHello."))


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my iPhone",
        "Envoyé de mon iPhone",
        "Envoyé à partir de Outlook pour Android",
        "Envoyé depuis mon appareil Galaxy",
        "Von meinem iPhone gesendet",
        "Gesendet mit der GMX Mail App",
        "Enviado desde mi Samsung Galaxy",
        "Inviato da iPhone",
        "Verstuurd vanaf mijn iPad",
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Sent from Yahoo Mail on Android",
        "Sent from Mail for Windows",
        "Provenance : Courrier pour Windows",
    ],
)
def test_advertising_lines_of_phones_are_recognized(line: str) -> None:
    assert signatures.is_advertising(line)


@pytest.mark.parametrize(
    "line",
    [
        "Sent from my office, please call me back",
        "Envoyé par courrier ce matin",
        "Envoyé de Lyon",
        "Get my mail",
        "Envoyé depuis la poste de Nantes",
        "Sent with love",
        "Gesendet am Montag",
        "My iPhone is broken",
        "Envoyé de mon iPhone car mon ordinateur est en panne",
    ],
)
def test_lines_of_people_are_not_advertising(line: str) -> None:
    assert not signatures.is_advertising(line)


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("ISO-8859-1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("GB2312", "gb18030"),
        ("gbk", "gb18030"),
        ("Shift_JIS", "cp932"),
        ("ks_c_5601-1987", "cp949"),
        ("iso-8859-9", "cp1254"),
        ("tis-620", "cp874"),
        ("big5", "big5hkscs"),
        ('"utf-8"', "utf-8"),
        ("utf8", "utf-8"),
        ("klingon", None),
        ("rot13", None),
        ("zip", None),
        ("undefined", None),
        ("", None),
    ],
)
def test_charset_labels_are_mapped_to_codecs(label: str, codec: str | None) -> None:
    assert codec_for(label) == codec


def test_text_without_a_charset_is_utf_8_or_windows_1252() -> None:
    assert decode("déjà €".encode(), None) == "déjà €"
    assert decode("déjà €".encode("cp1252"), None) == "déjà €"
    assert decode("déjà €".encode("cp1252"), "utf-8") == "déjà €"
    assert decode(b"\xef\xbb\xbfd\xc3\xa9j\xc3\xa0", "iso-8859-1") == "déjà"


def test_flowed_lines_are_joined_and_quotes_keep_their_depth() -> None:
    text = "One \ntwo\n>> three \n>> four\n> five \nsix\n-- \nJeanne"
    assert rejoin(text) == "One two\n>> three four\n> five\nsix\n-- \nJeanne"


def test_links_keep_their_address() -> None:
    html = (
        '<p>See <a href="https://a.example/b">this lamp</a>, <a href="https://a.example/">a.example'
        '</a> or <a href="mailto:x@a.example">x@a.example</a> <a href="#top">up</a> <a href='
        '"https://eur01.safelinks.protection.outlook.com/?url=https%3A%2F%2Fc.example%2F&amp;data=1">'
        "here</a></p>"
    )
    assert html_text.text_of(html) == (
        "See this lamp <https://a.example/b>, a.example or x@a.example up here <https://c.example/>"
    )


def picture(width: int, height: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def names(mail: EmailMessage) -> list[str]:
    return [file.name or file.kind for file in parse(mail.as_bytes()).files]


def test_logos_signatures_and_cards_are_not_listed_as_files() -> None:
    mail = EmailMessage()
    mail.set_content("Hello")
    mail.add_alternative(
        '<p>Hello <img src="cid:photo"></p><div class="gmail_signature">Jeanne <img src="cid:logo">'
        '</div><blockquote><img src="cid:theirs"></blockquote><img src="cid:icon">',
        subtype="html",
    )
    body = mail.get_payload()[1]  # type: ignore[index]
    for cid, size in (("photo", 900), ("logo", 900), ("theirs", 900), ("icon", 32)):
        body.add_related(
            picture(size, size),
            "image",
            "png",
            cid=f"<{cid}>",
            disposition="inline",
            filename=f"{cid}.png",
        )  # type: ignore[union-attr]
    mail.add_attachment(
        b"0", maintype="application", subtype="pkcs7-signature", filename="smime.p7s"
    )
    mail.add_attachment(b"BEGIN:VCARD", maintype="text", subtype="x-vcard", filename="jeanne.vcf")
    mail.add_attachment(
        b"%PDF-", maintype="application", subtype="pdf", filename="devis n° 4711.pdf"
    )
    assert names(mail) == ["photo.png", "devis n° 4711.pdf"]


def test_unnamed_pictures_and_attached_mails_are_listed_as_files() -> None:
    mail, inner = EmailMessage(), EmailMessage()
    mail.set_content("Look:")
    inner["Subject"] = "Your parcel"
    inner.set_content("Lost.")
    mail.add_attachment(picture(800, 600), maintype="image", subtype="png", disposition="inline")
    mail.add_attachment(inner)
    assert names(mail) == ["image/png", "Your parcel.eml"]
    assert "Lost." not in parse(mail.as_bytes()).text


@pytest.mark.parametrize(
    "html",
    [
        "<div>" * 3000 + "Yes",
        "<table><tr><td>" * 700 + "Yes",
        "<p>Yes",
        "2 < 3, Yes",
        "<!-- x -->Yes",
    ],
)
def test_text_is_extracted_at_any_nesting(html: str) -> None:
    assert html_text.text_of(html).endswith("Yes")
