"""The private names of libraries that the product uses, each with what breaks when it changes.

``pyproject.toml`` limits each of these libraries to one minor version (Twisted has none).
"""

from __future__ import annotations

import ast
import imaplib
import importlib
import inspect
import tomllib
from collections.abc import Iterator
from pathlib import Path

import daphne.http_protocol
import pytest
from channels_redis import pubsub, utils
from django.core.files.storage import FileSystemStorage, Storage
from packaging.requirements import Requirement
from packaging.version import Version
from storages.backends.s3 import S3Storage
from twisted.web.http import Request

from config.web_servers import daphne_patches

ROOMS = (
    "core",
    "accounts",
    "conversations",
    "routing",
    "reporting",
    "messenger",
    "desk",
    "config",
)
CONNECTION = pubsub.RedisSingleShardConnection
LOOP_LAYER = pubsub.RedisPubSubLoopLayer
LAYER = pubsub.RedisPubSubChannelLayer

USED: dict[type, set[str]] = {
    CONNECTION: {
        "_do_receiving",
        "_ensure_redis",
        "_lock",
        "_pubsub",
        "_receive_message",
        "_redis",
    },
    # Python's own: the address that was checked is called, not the name again (N8).
    imaplib.IMAP4: {"_create_socket"},
    imaplib.IMAP4_SSL: {"_create_socket"},
    LOOP_LAYER: {"_get_group_channel_name", "_get_shard", "_shards"},
    LAYER: {"_args", "_get_layer", "_kwargs", "_layers"},
    FileSystemStorage: {"_save"},
    Storage: {"_open", "_save"},
    S3Storage: {"_open", "_save"},
}


def is_of(name: str, library_class: type) -> bool:
    if name in vars(library_class):
        return True
    try:
        return f"self.{name}" in inspect.getsource(library_class)
    except (OSError, TypeError):  # a class without Python source
        return False


@pytest.mark.parametrize(
    ("library_class", "name"),
    [(one, name) for one, names in USED.items() for name in sorted(names)],
)
def test_channels_redis_has_the_private_names(library_class: type, name: str) -> None:
    assert is_of(name, library_class), (
        f"channels_redis.{library_class.__name__} has no {name} any more: "
        "adapt core/realtime/channel_layer.py"
    )


def test_channels_redis_runs_our_receiver() -> None:
    assert "self._do_receiving()" in inspect.getsource(CONNECTION._ensure_receiver), (
        "channels_redis no longer runs _do_receiving: the loop of core/realtime/channel_layer.py "
        "that waits without polling is dead code"
    )


def test_channels_redis_gets_its_layers_from_our_method() -> None:
    assert "_get_layer()" in inspect.getsource(LAYER.__getattr__), (
        "channels_redis no longer asks _get_layer for the layer of an event loop: pushes go through"
        " its own layer, one round trip each"
    )


def test_channels_redis_closes_the_layer_of_a_loop() -> None:
    assert list(inspect.signature(utils._wrap_close).parameters) == ["proxy", "loop"], (
        "channels_redis.utils._wrap_close takes other arguments: the layers of ended event loops "
        "keep their connections"
    )


def test_daphne_uses_our_request_class() -> None:
    source = inspect.getsource(daphne.http_protocol.HTTPFactory.buildProtocol)
    assert "protocol.requestFactory = WebRequest" in source, (
        "daphne no longer takes WebRequest from its module: daphne_patches.py has no effect,"
        " and every form is parsed in the event loop first"
    )
    assert issubclass(daphne_patches.Request, Request)


def test_twisted_can_leave_a_body_unparsed() -> None:
    assert "parsePOSTFormSubmission" in inspect.signature(Request.__init__).parameters, (
        "twisted.web.http.Request has no parsePOSTFormSubmission: daphne_patches.py fails"
    )


@pytest.mark.parametrize(
    ("library", "next_version"),
    [("channels-redis", "4.4"), ("daphne", "4.3"), ("twisted", "27")],
)
def test_the_next_version_is_excluded(root: Path, library: str, next_version: str) -> None:
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    (bounds,) = [
        one.specifier for one in map(Requirement, project["dependencies"]) if one.name == library
    ]
    assert Version(next_version) not in bounds


def private_names(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each private name of a library's class that a subclass of ours uses or overrides."""
    for path in (path for room in ROOMS for path in sorted((root / room).rglob("*.py"))):
        if "migrations" in path.parts:
            continue
        classes = [
            node for node in ast.parse(path.read_text()).body if isinstance(node, ast.ClassDef)
        ]
        if not classes:
            continue
        module = importlib.import_module(".".join(path.relative_to(root).with_suffix("").parts))
        for node in classes:
            names = {
                name
                for part in ast.walk(node)
                for name in [getattr(part, "attr", getattr(part, "name", None))]
                if isinstance(name, str) and name.startswith("_") and not name.startswith("__")
            }
            for base in vars(module)[node.name].__mro__:
                if base.__module__.partition(".")[0] in {*ROOMS, "builtins"}:
                    continue
                yield from ((base, name) for name in names if is_of(name, base))


# Documented by Django, or its own underscore convention.
DOCUMENTED = {"_base_manager", "_default_manager", "_meta", "_state"}


def test_every_private_name_of_a_library_is_listed(root: Path) -> None:
    listed = {(one, name) for one, names in USED.items() for name in names}
    assert {pair for pair in private_names(root) if pair[1] not in DOCUMENTED} <= listed
