"""A stand-in for Telegram's Bot API: a process of its own, which fails as its documentation says.

Its failures are ``{"status": 429, "retry_after": 5}``, ``{"status": 502}``, 401, 403, and
``{"cut": true}``: it did what was asked, and the answer is lost.
"""

from __future__ import annotations

import json
from typing import Any

from tests.messenger.channels.stand_in import PICTURE, Handler, heard, serve

TOKEN = "123456:the-token-of-the-bot"
WORDS = {
    429: "Too Many Requests: retry after",
    401: "Unauthorized",
    400: "Bad Request: chat not found",
    403: "Forbidden: bot was blocked by the user",
}


class Telegram(Handler):
    def fetched(self) -> None:
        if self.path.startswith(f"/file/bot{TOKEN}/"):
            heard.append({"method": "file", "path": self.path.rpartition("/")[2]})
            self.answer(200, PICTURE)
        else:
            self.answer(404, b"{}")

    def called(self, body: bytes, failure: dict[str, Any]) -> None:
        if not self.path.startswith(f"/bot{TOKEN}/"):
            self.answer(401, json.dumps(refusal(401, "Unauthorized")).encode())
            return
        method = self.path.rpartition("/")[2]
        if "status" in failure:
            self.fail(failure)
            return
        heard.append({"method": method, "data": self.data(body)})
        if failure.get("cut"):
            self.cut()
            return
        results: dict[str, Any] = {"setWebhook": True, "getFile": {"file_path": "photos/1.png"}}
        result = results.get(method, {"message_id": len(heard)})
        self.answer(200, json.dumps({"ok": True, "result": result}).encode())

    def fail(self, failure: dict[str, Any]) -> None:
        status = failure["status"]
        said = refusal(status, WORDS.get(status, "Bad Gateway"))
        if "retry_after" in failure:
            said["parameters"] = {"retry_after": failure["retry_after"]}
        self.answer(status, json.dumps(said).encode())


def refusal(status: int, words: str) -> dict[str, Any]:
    return {"ok": False, "error_code": status, "description": words}


if __name__ == "__main__":
    serve(Telegram)
