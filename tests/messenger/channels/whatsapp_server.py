"""A stand-in for WhatsApp's Cloud API: a process of its own, which fails as its documentation says.

Its failures are ``{"code": 130429, "status": 400}`` for each code of Meta, with ``retry_after``
(seconds) or ``regain`` (minutes, in the header of business use cases), ``{"status": 503}`` without
a body of Meta's, and ``{"cut": true}``: it did what was asked, and the answer is lost.
"""

from __future__ import annotations

import json
from typing import Any

from tests.messenger.channels.stand_in import PICTURE, Handler, heard, serve

TOKEN = "the-token-of-the-system-user"
NUMBER, ACCOUNT = "106540352242922", "102290129340398"
BODY = {"type": "BODY", "text": "Bonjour {{1}}, votre commande {{2}} est prête."}
TEMPLATES = [
    {"name": "pret", "language": "fr", "status": "APPROVED", "components": [BODY]},
    {"name": "avis", "language": "fr", "status": "REJECTED", "components": [BODY]},
    {
        "name": "photo",
        "language": "fr",
        "status": "APPROVED",
        "components": [{"type": "HEADER", "format": "IMAGE"}, BODY],
    },
    {
        "name": "merci",
        "language": "fr",
        "status": "APPROVED",
        "components": [
            {"type": "HEADER", "format": "TEXT", "text": "Maison Céleste"},
            {"type": "BODY", "text": "Merci de votre visite. Avez-vous d’autres questions ?"},
            {"type": "FOOTER", "text": "Répondez STOP pour ne plus rien recevoir."},
            {"type": "BUTTONS", "buttons": [{"type": "QUICK_REPLY", "text": "Oui"}]},
        ],
    },
]


class WhatsApp(Handler):
    def fetched(self) -> None:
        path = self.path.removeprefix("/v23.0")
        if not self.is_known():
            return
        if path.startswith(f"/{ACCOUNT}/message_templates"):
            # One a page, so that the product must turn pages.
            number = int(path.partition("after=")[2] or 0)
            page: dict[str, Any] = {"data": TEMPLATES[number : number + 1]}
            page["paging"] = {"cursors": {"after": str(number + 1)}}
            if number + 1 < len(TEMPLATES):
                page["paging"]["next"] = "https://graph.facebook.com/next"
            self.say(page)
        elif path == "/media-1":
            self.say({"url": f"http://{self.headers['Host']}/v23.0/files/1", "id": "media-1"})
        elif path == "/files/1":
            heard.append({"method": "file", "data": {}})
            self.answer(200, PICTURE)
        else:
            self.fail({"code": 100, "status": 400})

    def called(self, body: bytes, failure: dict[str, Any]) -> None:
        if not self.is_known():
            return
        if "status" in failure:
            self.fail(failure)
            return
        method = self.path.removeprefix("/v23.0/").partition("/")[2] or "number"
        heard.append({"method": method, "data": self.data(body)})
        if failure.get("cut"):
            self.cut()
            return
        answers: dict[str, Any] = {
            "messages": {"messages": [{"id": f"wamid.{len(heard)}"}]},
            "media": {"id": f"uploaded-{len(heard)}"},
        }
        self.say(answers.get(method, {"success": True}))

    def is_known(self) -> bool:
        known = self.headers["Authorization"] == f"Bearer {TOKEN}"
        if not known:
            self.fail({"code": 190, "status": 401})
        return known

    def fail(self, failure: dict[str, Any]) -> None:
        headers, status = {}, failure["status"]
        if "retry_after" in failure:
            headers["Retry_After"] = str(failure["retry_after"])
        if "regain" in failure:
            limits = [{"type": "messages", "estimated_time_to_regain_access": failure["regain"]}]
            headers["X_Business_Use_Case_Usage"] = json.dumps({ACCOUNT: limits})
        if "code" not in failure:
            self.answer(status, b"<html>Service Unavailable</html>", **headers)
            return
        error = {"message": f"(#{failure['code']}) A title", "code": failure["code"]}
        error["error_data"] = {"details": failure.get("details", "The details.")}
        self.answer(status, json.dumps({"error": error}).encode(), **headers)

    def say(self, data: dict[str, Any]) -> None:
        self.answer(200, json.dumps(data).encode())


if __name__ == "__main__":
    serve(WhatsApp)
