"""Reading the environment, with one clear line for a person if a value is wrong."""

from __future__ import annotations

import os
import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import parse_qsl, unquote, urlsplit

from core import outside_servers

YES = {"1", "true", "yes", "on"}
NO = {"0", "false", "no", "off", ""}
MAIL_SCHEMES = {"smtp": {}, "smtps": {"EMAIL_USE_SSL": True}, "smtp+tls": {"EMAIL_USE_TLS": True}}


def refuse(why: str) -> NoReturn:
    """End the process with one line on stderr."""
    sys.exit(f"causerie: {why}")


def load(file: Path) -> None:
    """Read ``NAME=value`` lines; variables that are already set take precedence."""
    if not file.is_file():
        return
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        name, equals, value = line.removeprefix("export ").partition("=")
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if not equals or not name.strip().isidentifier():
            refuse(f"{file.name}, line {number} is not NAME=value")
        os.environ.setdefault(name.strip(), value.strip().strip("'\""))


def given(*names: str) -> bool:
    """Return whether one of these variables is set, even to an empty string."""
    return any(name in os.environ for name in names)


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, "").strip() or default


def words(name: str, default: list[str]) -> list[str]:
    """Read a comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()] or default


def flag(name: str, default: bool) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    if value.strip().lower() not in YES | NO:
        refuse(f"{name} is on or off, not {value!r}")
    return value.strip().lower() in YES


def check_key(name: str, key: str) -> None:
    """Refuse a key that is too easy to guess; the text does not contain it."""
    if len(key) < 50 or len(set(key)) < 5 or "insecure" in key:
        refuse(f"{name} is too easy to guess: take 50 random characters or more")


def number(name: str, default: int, least: int, most: int) -> int:
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not least <= int(value) <= most:
        refuse(f"{name} is a number from {least} to {most}, not {value!r}")
    return int(value)


def program(name: str, default: str, choices: tuple[str, ...]) -> str:
    """Read the name of one of these packages, which must be installed."""
    value = text(name, default).lower()
    if value not in choices:
        refuse(f"{name} is {' or '.join(choices)}, not {value!r}")
    if find_spec(value) is None:
        refuse(f"{name}={value} needs its packages: pip install -r requirements/{value}.txt")
    return value


def mail(name: str) -> dict[str, Any]:
    """Return Django's settings for smtp://user:password@host:port; if unset, mails go to a
    folder."""
    value = text(name)
    if not value:
        return {"EMAIL_BACKEND": "messenger.mail.file_backend.Backend"}
    url = urlsplit(value)
    try:
        port = url.port
    except ValueError:
        port = None
    if url.scheme not in MAIL_SCHEMES or not url.hostname or port is None:
        refuse(f"{name} is smtp, smtps or smtp+tls://user:password@host:port")
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": url.hostname,
        "EMAIL_PORT": port,
        "EMAIL_HOST_USER": unquote(url.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(url.password or ""),
        "EMAIL_TIMEOUT": 10,
        **MAIL_SCHEMES[url.scheme],
        **(
            {"DEFAULT_FROM_EMAIL": sender}
            if (sender := dict(parse_qsl(url.query)).get("from"))
            else {}
        ),
    }


class Refused(Exception):
    """A value is wrong; the message is one line for a person."""


def storage_at(value: str) -> dict[str, Any]:
    """Return Django's settings of a storage for files: ``value`` is a folder, or an address such as
    ``s3://key:secret@host/bucket/prefix?region=eu-west-3``. Raises ``Refused``."""
    if "://" not in value:
        return {"BACKEND": "core.storage.WholeFiles", "OPTIONS": {"location": value}}
    url = urlsplit(value)
    bucket, _slash, prefix = url.path.strip("/").partition("/")
    schemes = {"s3": "https", "s3+http": "http"}
    if url.scheme not in schemes or not url.hostname or not bucket:
        raise Refused("the storage is s3://key:secret@host/bucket, or s3+http:// without TLS")
    if find_spec("storages") is None or find_spec("boto3") is None:
        raise Refused("a bucket needs `pip install causerie[s3]`: see docs/operations.md")
    return {
        "BACKEND": "core.object_storage.Bucket",
        "OPTIONS": {
            "endpoint_url": f"{schemes[url.scheme]}://{url.netloc.rpartition('@')[2]}",
            "access_key": unquote(url.username or "") or None,
            "secret_key": unquote(url.password or "") or None,
            "bucket_name": bucket,
            "location": prefix,
            "region_name": dict(parse_qsl(url.query)).get("region", "us-east-1"),
        },
    }


def storage(name: str) -> dict[str, Any]:
    """Return the settings of the storage for files: the one that is given, or
    ``MEDIA_ROOT``."""
    try:
        return storage_at(text(name)) if text(name) else {"BACKEND": "core.storage.WholeFiles"}
    except Refused as refused:
        refuse(f"{name}: {refused}")


def mailbox(name: str, default: str) -> str:
    """Read a plain address, ``reply@in.example.com``; empty stays empty."""
    value = text(name, default)
    local, at, domain = value.partition("@")
    if value and (not at or not local.isascii() or not re.fullmatch(r"[\w.-]+", domain)):
        refuse(f"{name} is an e-mail address, not {value!r}")
    if len(local) > 10 or "+" in local:
        refuse(f"{name} begins with 10 letters at most, without +: what follows is ours")
    return value


def address(name: str) -> tuple[str, int] | None:
    """Read host:port; ``None`` if unset."""
    value = text(name)
    host, _, port = value.rpartition(":")
    if not value:
        return None
    if not host or not port.isdigit() or not 1 <= int(port) <= 65535:
        refuse(f"{name} is host:port, not {value!r}")
    return host.strip("[]"), int(port)


def scanner(name: str) -> str:
    """Read the address of clamd: ``unix:///run/clamav/clamd.ctl`` or ``tcp://127.0.0.1:3310``."""
    value = text(name)
    if value and not re.fullmatch(r"unix:///\S+|tcp://\S+:\d{1,5}", value):
        refuse(f"{name} is unix:///path or tcp://host:port, not {value!r}")
    return value


def private_servers(name: str) -> outside_servers.AllowList:
    """Read the hosts and networks of the private network that the product may call."""
    try:
        return outside_servers.read(words(name, []))
    except ValueError as error:
        refuse(f"{name} is such as llm.internal:11434,10.1.0.0/16, not {str(error)!r}")


def prefixed(prefix: str) -> dict[str, str]:
    """Return all variables whose name begins with ``prefix``, by the rest of their name."""
    return {
        name.removeprefix(prefix): value.strip()
        for name, value in os.environ.items()
        if name.startswith(prefix) and value.strip()
    }
