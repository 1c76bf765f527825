"""Calls to providers: what is sent, and which answers are failures of which kind."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from core import outside_calls, outside_servers
from core.asgi.files import UPLOAD_BYTES
from core.outside_calls import Answer
from messenger.channels import provider_calls
from messenger.channels.connector import Later, OutgoingFile, Undeliverable

URL = "https://api.example.com/send"


class Provider:
    """Answers the next call, and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer = Answer(200, {}, b"{}")
        self.fault: Exception | None = None
        self.asked: dict[str, Any] = {}

    def send(self, method: str, body: bytes, *, headers: Mapping[str, str], **more: Any) -> Answer:
        self.asked = {"method": method, "body": body, "headers": headers, **more}
        if self.fault is not None:
            raise self.fault
        return self.answer


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Provider:
    one = Provider()

    @contextmanager
    def server(url: str, *, allowed: object = None) -> Iterator[Provider]:
        yield one

    monkeypatch.setattr(outside_calls, "Server", server)
    return one


def test_json_goes_out_and_comes_back(provider: Provider) -> None:
    provider.answer = Answer(201, {"X-Id": "7"}, b'{"id": "a"}')
    reply = provider_calls.call_json("POST", URL, {"to": "ada"}, headers={"Authorization": "k"})
    assert provider.asked["body"] == b'{"to": "ada"}'
    assert provider.asked["headers"] == {
        "Content-Type": "application/json",
        "Authorization": "k",
    }
    assert (reply.is_success, reply.data, reply.headers) == (True, {"id": "a"}, {"x-id": "7"})


@pytest.mark.parametrize("content", [b"", b"<html>", b"[1]", b"[" * 100_000])
def test_what_is_no_object_has_no_data(provider: Provider, content: bytes) -> None:
    provider.answer = Answer(400, {}, content)
    reply = provider_calls.call("GET", URL)
    assert (reply.is_success, reply.data) == (False, {})


@pytest.mark.parametrize(
    ("named", "seconds"), [("7", 7), ("999999", 3600), ("Wed, 21 Oct 2035 07:28:00 GMT", 0)]
)
def test_a_provider_says_when_to_ask_again(provider: Provider, named: str, seconds: float) -> None:
    """At most an hour later, and a date counts as nothing said."""
    provider.answer = Answer(503, {"Retry-After": named}, b"")
    with pytest.raises(Later) as later:
        provider_calls.call("GET", URL)
    assert later.value.seconds == seconds


@pytest.mark.parametrize(
    "fault", [outside_calls.Failed("no answer"), outside_servers.Forbidden("10.0.0.1")]
)
def test_without_an_answer_it_is_tried_again(provider: Provider, fault: Exception) -> None:
    provider.fault = fault
    with pytest.raises(Later) as later:
        provider_calls.call("GET", URL)
    assert "10.0.0.1" not in str(later.value)  # It is shown to people who may not know the network.


def test_an_answer_that_is_too_large_is_not_asked_for_again(provider: Provider) -> None:
    provider.answer = Answer(200, {}, b"x", is_cut=True)
    with pytest.raises(Undeliverable):
        provider_calls.call("GET", URL)


def test_a_form_carries_its_file_whole_whatever_its_name(provider: Provider) -> None:
    file = OutgoingFile('a"\r\nX-Evil: 1\\.pdf', "application/pdf", b"\r\n--%PDF\x00")
    provider_calls.call_form(URL, {"chat": "7", "caption": "Voilà"}, part="document", file=file)
    sent = provider.asked
    head = f"Content-Type: {sent['headers']['Content-Type']}\r\n\r\n".encode()
    form = email.message_from_bytes(head + sent["body"], policy=email.policy.HTTP)
    parts = {
        part.get_param("name", header="content-disposition"): part for part in form.iter_parts()
    }
    assert set(parts) == {"chat", "caption", "document"}
    assert parts["document"].get_filename() == "a'X-Evil: 1.pdf"
    assert parts["document"].get("X-Evil") is None
    assert parts["document"].get_payload(decode=True) == file.content
    assert parts["caption"].get_payload(decode=True) == "Voilà".encode()


def test_a_download_is_as_large_as_an_upload_at_most(provider: Provider) -> None:
    provider.answer = Answer(200, {}, b"picture")
    assert provider_calls.download(URL) == b"picture"
    assert provider.asked["limit"] == UPLOAD_BYTES


@pytest.mark.parametrize(("status", "kind"), [(429, Later), (404, Undeliverable), (500, Later)])
def test_a_download_fails_for_now_or_for_good(
    provider: Provider, status: int, kind: type[Exception]
) -> None:
    provider.answer = Answer(status, {}, b"")
    with pytest.raises(kind):
        provider_calls.download(URL)
