"""Calls through a real TURN server, with direct paths forbidden, and through a cut of the network:
the relay stops for a while. Needs coturn (`apt install coturn`): docs/calls.md."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Crowd
from tests.browser.mirrors import site
from tests.browser.product import Product, free_port
from tests.browser.test_calls import answered, calls, flow, flows, iframe, panel, press, start

SECRET = "the-secret-of-both"
TURNSERVER = shutil.which("turnserver")
pytestmark = pytest.mark.skipif(
    TURNSERVER is None, reason="coturn is missing: apt install coturn (see docs/calls.md)"
)


@dataclass
class Relay:
    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def stop(self) -> None:
        """Let nothing pass any more, as when a cable is pulled."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        self.process.send_signal(signal.SIGCONT)


@pytest.fixture(scope="module")
def relay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    folder, port = tmp_path_factory.mktemp("coturn"), free_port()
    log = folder / "log"
    assert TURNSERVER is not None
    command = [
        *(TURNSERVER, "-n", "--no-tls", "--no-dtls", "--no-cli", "--use-auth-secret"),
        *("--allow-loopback-peers", "--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1"),
        *(f"--listening-port={port}", f"--static-auth-secret={SECRET}", "--realm=example.com"),
        *(f"--pidfile={folder / 'pid'}", f"--userdb={folder / 'db'}", "--log-file=stdout"),
        "--verbose",
    ]
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        _wait(port, process)
        yield Relay(port, process, log)
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(20)


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _try in range(200):
        assert process.poll() is None, "coturn does not start"
        with socket.socket() as client:
            client.settimeout(1)
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        signal.sigtimedwait([], 0.1)
    raise AssertionError("coturn does not listen")


@pytest.fixture(scope="module")
def relayed(relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    running = Product(
        tmp_path_factory.mktemp("relayed") / "var",
        TURN_SERVERS=f"turn:127.0.0.1:{relay.port}",
        TURN_SECRET=SECRET,
        CALLS_ONLY_RELAYED="on",
    )
    try:
        running.start()
        yield running
    finally:
        code = running.stop()
    assert code == 0, running.log_tail()


@pytest.fixture
def people(browser: Browser, relayed: Product) -> Iterator[Crowd]:
    relayed.forget()
    crowd = Crowd(browser, relayed)
    yield crowd
    crowd.leave()
    assert crowd.unexpected() == []


def test_a_call_passes_through_the_relay_only(
    people: Crowd, relayed: Product, relay: Relay
) -> None:
    with site(relayed, "<h1>A brand</h1>") as shop:
        visitor, alice = start(people, shop.url)
        answered(visitor, alice, "Video call")
        assert set(flows(alice.page, video=True)["pairs"]) == {"relay"}
        assert set(flows(lambda: iframe(visitor), video=True)["pairs"]) == {"relay"}
        press(alice, "Hang up")
        expect(panel(visitor)).to_contain_text("Alice has hung up.")
        assert b"ALLOCATE processed, success" in relay.log.read_bytes()


def test_a_call_survives_a_cut_of_the_network(
    people: Crowd, relayed: Product, relay: Relay
) -> None:
    with site(relayed, "<h1>A brand</h1>") as shop:
        visitor, alice = start(people, shop.url)
        answered(visitor, alice)
        before = flows(alice.page)
        relay.stop()
        for one in (alice, visitor):
            expect(panel(one)).to_contain_text("The connection is interrupted. Reconnecting…")
        relay.go_on()
        expect(panel(alice)).to_contain_text("In a call with")
        expect(panel(visitor)).to_contain_text("In a call with Alice")
        assert flows(alice.page)["audio"] > before["audio"]
        flows(lambda: iframe(visitor))
        assert flow(alice.page)["state"] == "connected"
        press(visitor, "Hang up")
        expect(panel(alice)).to_contain_text("has hung up.")
        assert calls(relayed) == [("ended", "hung_up", "visitor")]
