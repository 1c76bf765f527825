"""Signed identity: the token in which a brand's server names its customer (C14).

A JWT (RFC 7519) signed with HS256 and a secret of the website. ``sub`` is the external id, ``aud``
the website's key, ``exp`` is required and near; ``name``, ``email`` and ``profile`` describe the
customer. Each refusal is a sentence that a developer can act on. Visitors are never linked by
e-mail address (N10, N14).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from django.utils.translation import gettext as _
from jwt.types import Options

from core.rejection import Rejected
from core.text.cleaning import is_identifier, line

ALGORITHM = "HS256"
REQUIRED = ("sub", "aud", "exp")
LONGEST = timedelta(hours=24)
LEEWAY = timedelta(seconds=60)  # between the brand's clock and ours
TOKEN_LIMIT = 4096
ID_LIMIT = 200
NAME_LIMIT = 100
PROFILE_LIMIT = 30
VALUE_LIMIT = 200

# Our own clock decides about expiry, not the library's.
_OPTIONS: Options = {
    "require": list(REQUIRED),
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}


@dataclass(frozen=True, slots=True)
class Claims:
    """A customer's identity, from a valid token. With a ``once``, only one browser may use it."""

    external_id: str
    expires_at: datetime
    name: str = ""
    profile: dict[str, Any] = field(default_factory=dict)
    once: str = ""


def refusal(sentence: str) -> Rejected:
    return Rejected("identity", sentence, 401)


def read(token: object, *, secrets: Sequence[str], audience: str, at: datetime) -> Claims:
    """Return the claims of ``token``; raise ``Rejected`` (401 ``identity``) with the reason.

    ``secrets`` are those accepted now, ``audience`` is the website's key.
    """
    if not isinstance(token, str) or not token:
        raise refusal(_("The identity token is missing."))
    if len(token) > TOKEN_LIMIT:
        raise refusal(
            _("The identity token is too long. The limit is %(n)d characters.") % {"n": TOKEN_LIMIT}
        )
    if not secrets:
        raise refusal(
            _("This website has no identity secret. Create one in the administration first.")
        )
    claims = _signed(token, secrets, audience)
    expires_at = _check_times(claims, at)
    # Spaces around an id, or two within, would make two persons of one.
    external_id = " ".join(claims["sub"].split()) if isinstance(claims["sub"], str) else ""
    if not is_identifier(external_id) or len(external_id) > ID_LIMIT:
        raise refusal(
            _(
                "The identity token's “sub” must be the customer's id: text of 1 to %(n)d "
                "characters."
            )
            % {"n": ID_LIMIT}
        )
    once = claims.get("jti")
    return Claims(
        external_id=external_id,
        name=_text(claims.get("name"), NAME_LIMIT),
        profile=_profile(claims),
        once=once[:ID_LIMIT] if isinstance(once, str) else "",
        expires_at=expires_at,
    )


def _signed(token: str, secrets: Sequence[str], audience: str) -> dict[str, Any]:
    """Return the claims, if signed with one of the ``secrets``."""
    for secret in secrets:
        try:
            claims: dict[str, Any] = jwt.decode(
                token, secret, algorithms=[ALGORITHM], audience=audience, options=_OPTIONS
            )
        # During a rotation two secrets are valid, and the token does not say which.
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidAlgorithmError:
            raise refusal(_("The identity token must be signed with HS256.")) from None
        except jwt.MissingRequiredClaimError as missing:
            raise refusal(
                _("The identity token lacks “%(claim)s”.") % {"claim": missing.claim}
            ) from None
        except jwt.InvalidAudienceError:
            raise refusal(
                _("The identity token's “aud” must be the website's key, “%(key)s”.")
                % {"key": audience}
            ) from None
        except jwt.InvalidTokenError:
            raise refusal(_("The identity token is not a readable JWT.")) from None
        return claims
    raise refusal(_("The identity token is not signed with an active secret of this website."))


def _check_times(claims: dict[str, Any], at: datetime) -> datetime:
    """Return when the token expires; refuse one that has expired, is not yet valid, or too long."""
    expires_at = _moment(claims["exp"])
    begins_at = _moment(claims.get("nbf"))
    if expires_at is None:
        raise refusal(_("The identity token's “exp” must be a time in seconds since 1970."))
    if expires_at + LEEWAY <= at:
        raise refusal(
            _("The identity token expired at %(moment)s. Sign a new one for each page.")
            % {"moment": expires_at.isoformat()}
        )
    if expires_at > at + LONGEST + LEEWAY:
        raise refusal(
            _("The identity token is valid for more than 24 hours. The limit is 24 hours.")
        )
    if begins_at is not None and begins_at > at + LEEWAY:
        raise refusal(_("The identity token is not valid yet. Check the server's clock."))
    return expires_at


def _moment(value: object) -> datetime | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (OverflowError, OSError, ValueError):
        return None


def _profile(claims: dict[str, Any]) -> dict[str, Any]:
    """Return a flat, bounded profile of displayable values; an e-mail address is only shown."""
    given = claims.get("profile")
    pairs = list(given.items()) if isinstance(given, dict) else []
    if isinstance(claims.get("email"), str):
        pairs.insert(0, ("email", claims["email"]))
    profile: dict[str, Any] = {}
    for name, value in pairs[:PROFILE_LIMIT]:
        if isinstance(value, str):
            profile[_text(name, ID_LIMIT)] = _text(value, VALUE_LIMIT)
        elif isinstance(value, bool | int) or (isinstance(value, float) and abs(value) < 1e15):
            profile[_text(name, ID_LIMIT)] = value
    return profile


def _text(value: object, limit: int) -> str:
    return line(value, limit) if isinstance(value, str) else ""
