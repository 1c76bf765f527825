"""Telegram, by its Bot API (https://core.telegram.org/bots/api): private chats with one bot."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from django.conf import settings
from django.utils.crypto import constant_time_compare
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop

from conversations.inboxes.kinds import Limits
from conversations.models import Inbox
from core.rejection import Rejected
from core.text.strict_json import parse_object
from messenger.channels import provider_calls
from messenger.channels.connector import (
    Connector,
    Disconnected,
    Forged,
    Incoming,
    Later,
    Outgoing,
    OutgoingFile,
    RemoteFile,
    Request,
    Setting,
    Undeliverable,
    Unreadable,
)
from messenger.channels.provider_calls import Reply

HEADER = "x-telegram-bot-api-secret-token"
CAPTION = 1024
BUTTON_BYTES = 64
UPDATES = ("message", "edited_message", "callback_query")
FILES = ("document", "animation", "video", "audio", "voice", "video_note", "sticker")
BLOCKED = gettext_noop("The person has blocked the bot, or has left Telegram.")


class Telegram(Connector):
    """A bot of Telegram. Its messages have no receipts: accepted is the last that is known."""

    kind = "telegram"
    label = _("Telegram")
    icon = "send"
    limits = Limits(text=4096, file_bytes=50 * 1024 * 1024)
    settings = (Setting("token", _("token of the bot"), _("From @BotFather: 123456:ABC-DEF…")),)
    makes_secret = True

    def verify(self, inbox: Inbox, request: Request) -> None:
        given = request.headers.get(HEADER, "")
        if not inbox.secret or not constant_time_compare(given, inbox.secret.reveal()):
            raise Forged

    def parse(self, inbox: Inbox, request: Request) -> Sequence[Incoming]:
        try:
            update = parse_object(request.body)
            return list(_messages(update))
        except (Rejected, KeyError, TypeError, ValueError, AttributeError):
            raise Unreadable from None

    def send(self, inbox: Inbox, outgoing: Outgoing) -> str:
        file = outgoing.file
        to = {"chat_id": outgoing.address}
        if file is None:
            buttons = {"reply_markup": _keyboard(outgoing.choices)} if outgoing.choices else {}
            text = outgoing.question or outgoing.text if outgoing.choices else outgoing.text
            reply = _ask(inbox, "sendMessage", {**to, "text": text, **buttons})
        else:
            reply = _upload(inbox, {**to, "caption": outgoing.text[:CAPTION]}, file)
        return str(reply.data["result"]["message_id"])

    def fetch(self, inbox: Inbox, file: RemoteFile) -> bytes:
        path = _ask(inbox, "getFile", {"file_id": file.reference}).data["result"].get("file_path")
        if not path:
            raise Undeliverable(gettext_noop("Telegram does not hand out this file."))
        token = inbox.token.reveal()
        return provider_calls.download(f"{_base()}/file/bot{token}/{path}")

    def connect(self, inbox: Inbox, door: str) -> None:
        if not door.startswith("https://") and settings.HTTPS:
            raise Undeliverable(gettext_noop("Telegram needs an address with https."))
        _ask(
            inbox,
            "setWebhook",
            {"url": door, "secret_token": inbox.secret.reveal(), "allowed_updates": UPDATES},
        )


def _messages(update: dict[str, Any]) -> Iterator[Incoming]:
    """Yield the message in an update, or the button that was pressed."""
    number = str(int(update["update_id"]))
    if pressed := update.get("callback_query"):
        under = pressed.get("message") or {}
        if _is_private(under):
            yield _incoming(number, under, pressed["from"], text=_choice(pressed, under))
        return
    message = update.get("message") or update.get("edited_message")
    # In a group, an answer would go to everybody.
    if message is None or not _is_private(message) or message.get("from", {}).get("is_bot"):
        return
    text, files = _text(message), _files(message)
    if "edited_message" in update:
        text = f"✏️ {text}"
    if text.split(maxsplit=1)[:1] == ["/start"] or not (text or files):
        return  # Telegram's own first line, and what has no words: somebody joined, a game.
    yield _incoming(number, message, message["from"], text=text, files=files)


def _is_private(message: Mapping[str, Any]) -> bool:
    return bool(message.get("chat", {}).get("type") == "private")


def _incoming(
    number: str,
    message: Mapping[str, Any],
    sender: Mapping[str, Any],
    *,
    text: str,
    files: Sequence[RemoteFile] = (),
) -> Incoming:
    names = [sender.get("first_name"), sender.get("last_name")]
    date = int(message.get("edit_date") or message.get("date") or 0)
    return Incoming(
        provider_id=number,
        address=str(int(message["chat"]["id"])),
        text=text,
        name=" ".join(str(name) for name in names if name),
        language=str(sender.get("language_code") or "")[:2],
        sent_at=datetime.fromtimestamp(date, UTC).isoformat() if date else "",
        files=tuple(files),
    )


def _text(message: Mapping[str, Any]) -> str:
    text = str(message.get("text") or message.get("caption") or "")
    if place := message.get("location"):
        position = f"{float(place['latitude'])},{float(place['longitude'])}"
        text = f"{text}\nhttps://www.openstreetmap.org/search?query={position}".strip()
    if contact := message.get("contact"):
        named = [contact.get("first_name"), contact.get("last_name"), contact.get("phone_number")]
        text = f"{text}\n{' '.join(str(one) for one in named if one)}".strip()
    return text


def _files(message: Mapping[str, Any]) -> list[RemoteFile]:
    """Return the files of a message; of a picture, its largest size."""
    found = []
    if sizes := message.get("photo"):
        # Telegram lists the sizes in rising order.
        found.append(RemoteFile(str(sizes[-1]["file_id"]), "photo"))
    for kind in FILES:
        if kind == "document" and "animation" in message:
            continue  # the same file, for programs that know no animations
        if file := message.get(kind):
            extension = {"sticker": ".webp", "voice": ".ogg"}.get(kind, "")
            found.append(
                RemoteFile(str(file["file_id"]), str(file.get("file_name") or f"{kind}{extension}"))
            )
    return found


def _keyboard(choices: Sequence[str]) -> dict[str, Any]:
    return {
        "inline_keyboard": [
            [{"text": choice, "callback_data": _button_data(number, choice)}]
            for number, choice in enumerate(choices)
        ]
    }


def _button_data(number: int, choice: str) -> str:
    # The limit is in bytes, and may cut a character in two. The number keeps equal beginnings
    # apart.
    return f"{number}:{choice}".encode()[:BUTTON_BYTES].decode("utf-8", "ignore")


def _choice(pressed: Mapping[str, Any], under: Mapping[str, Any]) -> str:
    """Return the text of the button that was pressed, as it stands under the message."""
    data = str(pressed.get("data") or "")
    rows = under.get("reply_markup", {}).get("inline_keyboard", [])
    shown = [one["text"] for row in rows for one in row if one.get("callback_data") == data]
    return str(shown[0]) if shown else data.partition(":")[2]


def _upload(inbox: Inbox, fields: Mapping[str, str], file: OutgoingFile) -> Reply:
    is_photo = file.content_type in {"image/jpeg", "image/png"}
    method, part = ("sendPhoto", "photo") if is_photo else ("sendDocument", "document")
    url = _url(inbox, method)
    return _checked(provider_calls.call_form(url, fields, part=part, file=file))


def _ask(inbox: Inbox, method: str, data: Mapping[str, Any]) -> Reply:
    return _checked(provider_calls.call_json("POST", _url(inbox, method), data))


def _url(inbox: Inbox, method: str) -> str:
    return f"{_base()}/bot{inbox.token.reveal()}/{method}"


def _base() -> str:
    return str(settings.CHANNEL_APIS["telegram"])


def _checked(reply: Reply) -> Reply:
    """Return a success; raise what the answer means for the message."""
    if reply.is_success and reply.data.get("ok") is True and reply.data.get("result"):
        return reply
    why = str(reply.data.get("description") or f"HTTP {reply.status}")[:200]
    if reply.status == 429:
        wait = reply.data.get("parameters", {}).get("retry_after", reply.retry_after)
        raise Later(why, seconds=min(float(wait or 0), provider_calls.WAIT_LIMIT))
    if reply.status in {401, 404}:  # 404: a token whose form is wrong
        raise Disconnected(gettext_noop("Telegram does not accept the token of the bot."))
    if reply.status == 403:
        raise Undeliverable(BLOCKED)
    if reply.status == 400:
        raise Undeliverable(why)
    raise Later(why)
