"""A bot outside Causerie that finds orders: an example to start from (docs/bots.md).

It needs Python and the package ``standardwebhooks``:

    BOT_SECRET=whsec_… python orders.py 8080

It answers each signed event with actions. What it has to remember it sets as ``values``, which
come back with each event: it stores nothing and may be restarted at any time.
"""

from __future__ import annotations

import json
import os
import re
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

ORDERS = {"CM-1001": "on its way: it arrives tomorrow", "CM-1002": "being packed"}
CODE = re.compile(r"CM-\d{4}", re.IGNORECASE)
Action = dict[str, Any]


def answer(event: dict[str, Any]) -> list[Action]:
    """Return the actions that answer an event."""
    if event["type"] == "visitor.returned":
        return [{"type": "message", "text": "Welcome back! I am still here."}]
    message, values = event["data"]["message"], event["data"]["values"]
    if event["type"] == "conversation.started":
        name = event["data"]["visitor"]["name"]
        return [
            {"type": "message", "text": f"Hello {name}".strip() + ", I am the order bot."},
            menu("What would you like to know?"),
        ]
    if event["type"] == "attachment.received":
        return [{"type": "message", "text": "I cannot read files. A colleague can."}, *people()]
    if message["body"] == "Where is my order?":
        return [{"type": "message", "text": "What is your order number, such as CM-1001?"}]
    if message["body"] == "Goodbye":
        return [{"type": "close", "text": "Goodbye!"}]
    if message["body"] == "Something else":
        return people()
    return find(message["body"], tries=int(values.get("tries", "0")))


def find(text: str, *, tries: int) -> list[Action]:
    """Look an order up; after two failures pass on to people."""
    code = CODE.search(text)
    order = code.group().upper() if code else ""
    if order in ORDERS:
        return [
            {"type": "set", "data": {"order": order, "tries": "0"}},
            {"type": "typing"},
            {"type": "wait", "seconds": 1},
            {"type": "message", "text": f"Order {order} is {ORDERS[order]}."},
            menu("Anything else?"),
        ]
    if tries:
        return people()
    return [
        {"type": "set", "data": {"tries": "1"}},
        {"type": "message", "text": "I do not know this order. Please check its number."},
    ]


def menu(text: str) -> Action:
    choices = ["Where is my order?", "Something else", "Goodbye"]
    return {"type": "choices", "text": text, "choices": choices}


def people() -> list[Action]:
    return [{"type": "escalate", "text": "An adviser takes over."}]


class Bot(BaseHTTPRequestHandler):
    """Verifies the signature of each request and answers it."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            event = Webhook(os.environ["BOT_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.send_error(401)
            return
        content = json.dumps({"actions": answer(event)}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Bot)
    print(f"The bot listens on http://127.0.0.1:{server.server_port}/", flush=True)
    server.serve_forever()
