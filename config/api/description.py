"""What the description of the API (OpenAPI) says of every operation: errors, headers, limits."""

from __future__ import annotations

from typing import Any

from config.api.examples import REQUESTS

SETTINGS: dict[str, Any] = {
    "TITLE": "Causerie",
    "DESCRIPTION": "The public API of a Causerie installation.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "COMPONENT_SPLIT_REQUEST": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "config.api.description.complete",
    ],
}
"""Those of drf-spectacular."""
WRITES = frozenset({"post", "put", "patch", "delete"})
SENTENCES = {
    400: "The request is invalid; `fields` names what is wrong.",
    401: "The token or the session is missing or not valid.",
    403: "The token or the role does not permit this.",
    404: "It does not exist, or you may not see it.",
    405: "This address does not have this method.",
    406: "The answer does not exist in the format of `Accept`.",
    409: "Refused, with a sentence. Nothing was changed.",
    410: "You were away for too long (`expired`).",
    412: "Somebody has changed the row meanwhile (`changed`).",
    413: "The request is too large.",
    415: "The body is not of a type that is accepted.",
    429: "Too many requests. Repeat after `Retry-After`.",
    503: "Busy. Repeat after `Retry-After`.",
}
PROBLEM = {
    "type": "object",
    "description": "An error, as in RFC 9457.",
    "required": ["type", "title", "status", "detail", "code", "request_id", "error"],
    "properties": {
        "type": {"type": "string", "description": "The address that explains the code."},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "A sentence in the language of the request."},
        "code": {"type": "string", "description": "For programs."},
        "request_id": {"type": "string"},
        "fields": {"type": "object", "description": "Faults by field; only with 400."},
        "error": {
            "type": "object",
            "description": "Code and sentence again, as earlier clients read them.",
            "required": ["code", "message"],
            "properties": {"code": {"type": "string"}, "message": {"type": "string"}},
        },
    },
}
HEADERS = {
    "X-Request-ID": "The id of the request, which the server's log carries too.",
    "RateLimit": 'What is left: `"api";r=597;t=60`. Absent while nothing counts.',
    "RateLimit-Policy": 'The limit: `"api";q=600;w=60`.',
}
KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "Your own id for this request, such as a UUID. For 24 hours a repeat gets the "
    "first answer again.",
}


def complete(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Add to every operation what holds for all: drf-spectacular calls it last."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = PROBLEM
    for path, item in result["paths"].items():
        for method, operation in item.items():
            _complete(operation, path, method)
    return result


def _complete(operation: dict[str, Any], path: str, method: str) -> None:
    responses = operation["responses"]
    for status in _errors_of(operation, path, method):
        known = responses.get(str(status), {})
        responses[str(status)] = {
            "description": known.get("description") or SENTENCES[status],
            "content": {"application/problem+json": {"schema": {"$ref": _PROBLEM}}},
        }
    for response in responses.values():
        response.setdefault("headers", {}).update(
            {name: _header(sentence) for name, sentence in HEADERS.items()}
        )
    if (method, path) in REQUESTS:
        content = operation["requestBody"]["content"]["application/json"]
        content["example"] = REQUESTS[(method, path)]
    if method == "post":
        operation.setdefault("parameters", []).append(KEY)
    operation["responses"] = dict(sorted(responses.items()))


def _errors_of(operation: dict[str, Any], path: str, method: str) -> list[int]:
    names = {parameter["name"] for parameter in operation.get("parameters", ())}
    errors = [400, 401, 403, 404, 406, 429, 503]
    if method in WRITES:
        errors += [409, 413, 415]
    if method == "get" and path.endswith(("/why/", "/file/")):
        errors.append(409)
    if "If-Match" in names:
        errors.append(412)
    if "after" in names and path.endswith("/v1/events/"):
        errors.append(410)
    return errors


def _header(sentence: str) -> dict[str, Any]:
    return {"schema": {"type": "string"}, "description": sentence}


_PROBLEM = "#/components/schemas/Problem"
