"""An authenticator app, and a device with passkeys, in Python."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import struct
import time
from dataclasses import dataclass, field
from typing import Any

import fido2.cbor
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 1, 4, 64


def code_of(secret: str, *, at: float | None = None) -> str:
    """Return what an app shows for this key (RFC 6238, 30 seconds, six digits)."""
    counter = struct.pack(">Q", int(time.time() if at is None else at) // 30)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    place = digest[-1] & 15
    number = struct.unpack(">I", digest[place : place + 4])[0] & 0x7FFFFFFF
    return f"{number % 10**6:06}"


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Device:
    """A device that makes one passkey and signs with it; the parameters forge what it says."""

    host: str = "testserver"
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    name: bytes = b"0123456789abcdef"
    user: bytes = b""

    def create(self, options: dict[str, Any], *, flags: int = PRESENT | VERIFIED) -> str:
        """Return the browser's answer to a creation, as JSON."""
        options = options["publicKey"]
        self.user = _bytes(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        point = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        attested = bytes(16) + struct.pack(">H", len(self.name)) + self.name
        data = self._data(flags | ATTESTED) + attested + fido2.cbor.encode(point)
        statement = {"fmt": "none", "attStmt": {}, "authData": data}
        client = self._client("webauthn.create", options["challenge"])
        answer = {
            "clientDataJSON": _text(client),
            "attestationObject": _text(fido2.cbor.encode(statement)),
        }
        return self._credential(answer)

    def get(
        self,
        options: dict[str, Any],
        *,
        flags: int = PRESENT | VERIFIED,
        challenge: str = "",
        origin: str = "",
        signer: ec.EllipticCurvePrivateKey | None = None,
        user: bytes | None = None,
    ) -> str:
        """Return the browser's answer to a challenge, as JSON."""
        options = options["publicKey"]
        client = self._client("webauthn.get", challenge or options["challenge"], origin)
        data = self._data(flags)
        signed = data + hashlib.sha256(client).digest()
        answer = {
            "clientDataJSON": _text(client),
            "authenticatorData": _text(data),
            "signature": _text((signer or self.key).sign(signed, ec.ECDSA(hashes.SHA256()))),
            "userHandle": _text(self.user if user is None else user),
        }
        return self._credential(answer)

    def _client(self, kind: str, challenge: str, origin: str = "") -> bytes:
        client_data = {
            "type": kind,
            "challenge": challenge,
            "origin": origin or f"https://{self.host}",
        }
        return json.dumps(client_data).encode()

    def _data(self, flags: int) -> bytes:
        return hashlib.sha256(self.host.encode()).digest() + bytes([flags]) + bytes(4)

    def _credential(self, answer: dict[str, str]) -> str:
        return json.dumps(
            {
                "id": _text(self.name),
                "rawId": _text(self.name),
                "type": "public-key",
                "response": answer,
                "clientExtensionResults": {"credProps": {"rk": True}},
            }
        )
