"""The files of ``deploy/``, with the programs they are for: nginx and Caddy in front of the
processes of the systemd units. Only names, ports and certificates are changed.
"""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import aiohttp
import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PrivateFormat
from cryptography.x509.oid import NameOID

from config import engines
from tests import seed
from tests.browser.product import ROOT, free_port
from tests.faults.people import Address, Agent, Request, Visitor

DEPLOY = ROOT / "deploy"
READY_SECONDS = 200
STOP_SECONDS = 40
MEBIBYTE = 1 << 20
UNITS = ("causerie-worker", "causerie-beat", "causerie-webhooks")


@dataclass(frozen=True)
class Host:
    """The running units, and what a proxy in front of them needs."""

    var: Path
    environment: dict[str, str]
    webs: list[int]
    secure: int
    plain: int
    certificate: Path
    key: Path
    processes: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)
    """The web processes by port, which tests may replace."""

    @property
    def url(self) -> str:
        return f"https://localhost:{self.secure}"


def command_of(unit: str, instance: str = "") -> list[str]:
    """Return what a unit runs, with this checkout's Python."""
    text = (DEPLOY / "systemd" / f"{unit}.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", text, re.MULTILINE)
    python, *arguments = shlex.split(line.replace("%i", instance))
    assert python == "/opt/causerie/.venv/bin/python"
    return [sys.executable, *arguments]


@contextmanager
def running(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
    try:
        yield process
        assert process.poll() is None, log.read_text(errors="replace")[-4000:]
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def write_certificate(certificate: Path, key: Path) -> None:
    """Write a certificate for localhost, signed by its own key."""
    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    certificate.write_bytes(signed.public_bytes(Encoding.PEM))
    key.write_bytes(
        secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, serialization.NoEncryption())
    )


def web_process(host: Host, port: int, output: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start the web process on this port; each has another server."""
    server = dict(zip(host.webs, ("daphne", "uvicorn"), strict=True))[port]
    return subprocess.Popen(
        command_of("causerie-web@", str(port)),
        cwd=ROOT,
        env={**host.environment, "WEB_SERVER": server},
        stdout=output,
        stderr=output,
    )


@contextmanager
def web_processes(host: Host, log: Path) -> Iterator[None]:
    """Run a web process on each port."""
    with log.open("ab") as output:
        for port in host.webs:
            host.processes[port] = web_process(host, port, output)
    try:
        yield
        ended = [port for port, process in host.processes.items() if process.poll() is not None]
        assert ended == [], log.read_text(errors="replace")[-4000:]
    finally:
        for process in host.processes.values():
            process.terminate()
        for process in host.processes.values():
            process.wait(STOP_SECONDS)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    folder = tmp_path_factory.mktemp("host")
    var, certificate, key = folder / "var", folder / "cert.pem", folder / "key.pem"
    seed.create_seed(var)
    write_certificate(certificate, key)
    secure, plain, *webs = (free_port() for _ in range(4))
    environment = {
        **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        "ENV_FILE": os.devnull,
        "VAR": str(var),
        "SECRET_KEY": uuid.uuid4().hex * 2,
        "ALLOWED_HOSTS": "localhost",
        "PUBLIC_URL": f"https://localhost:{secure}",
        "BEHIND_PROXY": "on",
        "RATE_LIMITS": "off",
        "DATABASE_URL": engines.database_url(var),
        "REDIS_URL": engines.redis_url(var),
    }
    one = Host(var, environment, webs, secure, plain, certificate, key)
    with engines.running(var, forgetful=True), ExitStack() as units:
        prepare = [sys.executable, "manage.py", "prepare"]
        subprocess.run(prepare, cwd=ROOT, env=environment, check=True)
        units.enter_context(web_processes(one, folder / "log"))
        for unit in UNITS:
            units.enter_context(running(command_of(unit), environment, folder / "log"))
        yield one


@contextmanager
def nginx(host: Host, folder: Path) -> Iterator[None]:
    """nginx with the file of ``deploy/``, and the frame that Debian's nginx.conf gives it."""
    text = (DEPLOY / "nginx" / "causerie.conf").read_text()
    servers = "\n".join(f"    server 127.0.0.1:{port} max_fails=0;" for port in host.webs)
    for before, after in (
        ("    server 127.0.0.1:8000 max_fails=0;", servers),
        ("listen 80;", f"listen 127.0.0.1:{host.plain};"),
        ("listen 443 ssl http2;", f"listen 127.0.0.1:{host.secure} ssl http2;"),
        ("/etc/ssl/chat.example.com.pem", str(host.certificate)),
        ("/etc/ssl/chat.example.com.key", str(host.key)),
        ("server_name chat.example.com;", "server_name localhost;"),
    ):
        assert before in text, before
        text = text.replace(before, after)
    temporary = "".join(
        f"  {name}_temp_path {folder / name};\n"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    # Its workers would otherwise be another user's, who may not enter this folder.
    user = "" if os.geteuid() else "user root;\n"
    file = folder / "nginx.conf"
    file.write_text(
        f"{user}daemon off;\npid {folder / 'pid'};\nerror_log {folder / 'log'};\nevents {{}}\n"
        f"http {{\n  access_log off;\n{temporary}{text}\n}}\n"
    )
    with running(["nginx", "-p", str(folder), "-c", str(file)], dict(os.environ), folder / "log"):
        yield


@contextmanager
def caddy(host: Host, folder: Path) -> Iterator[None]:
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    webs = " ".join(f"127.0.0.1:{port}" for port in host.webs)
    options = f"{{\n\tadmin off\n\tauto_https disable_redirects\n\thttp_port {host.plain}\n}}\n"
    site = f"https://localhost:{host.secure} {{\n\ttls {host.certificate} {host.key}\n"
    for before, after in (
        ("chat.example.com {\n", options + site),
        ("127.0.0.1:8000", webs),
    ):
        assert before in text, before
        text = text.replace(before, after)
    file = folder / "Caddyfile"
    file.write_text(text)
    environment = dict(os.environ) | {"HOME": str(folder), "XDG_DATA_HOME": str(folder)}
    command = ["caddy", "run", "--adapter", "caddyfile", "--config", str(file)]
    with running(command, environment, folder / "log"):
        yield


@pytest.fixture(params=[nginx, caddy], ids=lambda proxy: proxy.__name__)
def proxied(request: pytest.FixtureRequest, host: Host, tmp_path: Path) -> Iterator[Host]:
    if not shutil.which(request.param.__name__):
        pytest.skip(f"{request.param.__name__} is not installed")
    with request.param(host, tmp_path):
        asyncio.run(ready(host))
        yield host


async def ready(host: Host) -> None:
    """Wait until the proxy and both web processes answer."""
    give_up = time.monotonic() + READY_SECONDS
    addresses = [f"{host.url}/healthz", *(f"http://127.0.0.1:{p}/healthz" for p in host.webs)]
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector) as http:
        for address in addresses:
            while True:
                try:
                    async with http.get(address) as answer:
                        if answer.status == 200:
                            break
                except aiohttp.ClientError:
                    pass
                assert time.monotonic() < give_up, f"{address} does not answer"
                await asyncio.sleep(0.2)


def website(host: Host) -> tuple[Address, str]:
    command = [sys.executable, "-m", "bench.prepare", "--agents", "1", "--visitors", "4"]
    done = subprocess.run(
        command, cwd=ROOT, env=host.environment, stdout=subprocess.PIPE, check=True
    )
    made = json.loads(done.stdout)
    return Address(host.url, made["key"], made["consent"]), made["cookies"][0]


async def until(condition: object) -> None:
    assert callable(condition)
    give_up = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up
        await asyncio.sleep(0.05)


def test_people_converse_through_it(proxied: Host) -> None:
    """Pages, sockets of both sides, a file, and what is too large; the redirect to HTTPS."""
    asyncio.run(converse(proxied, *website(proxied)))


async def converse(host: Host, address: Address, cookie: str) -> None:
    requests: list[Request] = []
    visitor, agent = Visitor(address, requests, {}), Agent(address, requests, cookie)
    try:
        await agent.arrive()
        await visitor.arrive()
        await visitor.say(visitor.conversation, "Through the proxy")
        await until(lambda: any(len(view) >= 2 for view in agent.views.values()))
        (number,) = agent.views
        await agent.say(number, "I hear you.")
        await until(lambda: len(visitor.views[visitor.conversation]) >= 3)
        assert not [one for one in requests if one.what == "message" and one.status != 201]

        base = f"{host.url}/messenger/{address.key}/conversations/{visitor.conversation}"
        for size, statuses in ((MEBIBYTE, {201}), (12 * MEBIBYTE, {413})):
            path = f"{base}/attachments/{uuid.uuid4()}/?name=notes.txt"
            async with visitor.http.put(path, data=io.BytesIO(b"a word\n" * (size // 7))) as answer:
                assert answer.status in statuses, (size, answer.status, await answer.text())

        async with agent.http.get(f"{host.url}/desk/") as page:
            assert page.status == 200
            assert page.headers["Strict-Transport-Security"].startswith("max-age=31536000")
            assert page.headers["X-Content-Type-Options"] == "nosniff"
    finally:
        await visitor.leave()
        await agent.leave()


def test_processes_restart_one_by_one_and_nobody_notices(host: Host, tmp_path: Path) -> None:
    """As ``systemctl restart causerie-web@8001`` does it; a new one is there before the next."""
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")
    with nginx(host, tmp_path):
        asyncio.run(ready(host))
        address, _cookie = website(host)
        assert asyncio.run(write_during(host, address)) == []


async def write_during(host: Host, address: Address) -> list[Request]:
    """Let visitors write while each web process restarts; return what was not answered well."""
    requests: list[Request] = []
    visitors = [Visitor(address, requests, {}) for _ in range(3)]
    for visitor in visitors:
        await visitor.arrive()
    writing = [asyncio.create_task(write(visitor)) for visitor in visitors]
    for port in host.webs:
        await asyncio.sleep(1)
        old = host.processes[port]
        old.terminate()
        assert await asyncio.to_thread(old.wait, STOP_SECONDS) == 0
        with (host.var.parent / "log").open("ab") as output:
            host.processes[port] = web_process(host, port, output)
        await ready(host)
    for task in writing:
        task.cancel()
    await asyncio.gather(*writing, return_exceptions=True)
    for visitor in visitors:
        assert len(visitor.accepted) > 10
        await visitor.leave()
    return [one for one in requests if one.status not in {200, 201}]


async def write(visitor: Visitor) -> None:
    while True:
        await visitor.say(visitor.conversation, "Still there?")
        await asyncio.sleep(0.1)


def test_a_client_does_not_choose_its_address(proxied: Host) -> None:
    with psycopg.connect(engines.database_url(proxied.var), autocommit=True) as connection:
        connection.execute("DELETE FROM accounts_login")
        asyncio.run(fail_to_log_in(proxied, website(proxied)[0].key))
        rows = connection.execute("SELECT DISTINCT host(address) FROM accounts_login").fetchall()
    assert rows == [("127.0.0.1",)]


async def fail_to_log_in(host: Host, key: str) -> None:
    forged = {"X-Forwarded-For": "6.6.6.6", "Referer": f"{host.url}/login/"}
    connector = aiohttp.TCPConnector(ssl=False)
    async with aiohttp.ClientSession(connector=connector, headers=forged) as http:
        async with http.get(f"{host.url}/login/") as page:
            token = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', await page.text())[0]
            assert page.status == 200
        form = {"csrfmiddlewaretoken": token, "username": f"{key}-1", "password": "wrong"}
        async with http.post(f"{host.url}/login/", data=form) as answer:
            assert answer.status == 200, await answer.text()


def test_nginx_leads_to_https(host: Host, tmp_path: Path) -> None:
    if not shutil.which("nginx"):
        pytest.skip("nginx is not installed")

    async def ask() -> tuple[int, str]:
        async with (
            aiohttp.ClientSession() as http,
            http.get(
                f"http://localhost:{host.plain}/desk/?page=2", allow_redirects=False
            ) as answer,
        ):
            return answer.status, answer.headers["Location"]

    with nginx(host, tmp_path):
        asyncio.run(ready(host))
        assert asyncio.run(ask()) == (301, "https://localhost/desk/?page=2")


@pytest.mark.parametrize("unit", sorted(path.name for path in (DEPLOY / "systemd").iterdir()))
def test_systemd_understands_the_units(unit: str, tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    folder = tmp_path / "units"
    folder.mkdir()
    for path in (DEPLOY / "systemd").iterdir():
        text = path.read_text().replace("/opt/causerie/.venv/bin/python", sys.executable)
        (folder / path.name).write_text(text)
    name = unit.replace("@.", "@8001.")
    if name != unit:
        (folder / name).write_text((folder / unit).read_text())
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(folder / name)],
        capture_output=True,
        text=True,
    )
    lines = [line for line in done.stderr.splitlines() if str(folder) in line or name in line]
    assert (lines, done.returncode) == ([], 0), done.stderr


def test_no_unit_reads_the_history_of_the_checkout() -> None:
    services = sorted((DEPLOY / "systemd").glob("*.service"))
    assert len(services) > 4
    for path in services:
        assert "\nInaccessiblePaths=-/opt/causerie/.git\n" in path.read_text(), path.name
    ignored = (ROOT / ".dockerignore").read_text().split()
    assert {".git", ".env", "var"} <= set(ignored)
