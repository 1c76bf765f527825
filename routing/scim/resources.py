"""Users and groups as SCIM shows them, and the descriptions of both."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from django.db.models import QuerySet

from accounts.models import Group, Role, User

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
CORE = "urn:ietf:params:scim:schemas:core:2.0"
LARGEST_PAGE = 200


def users() -> QuerySet[User]:
    """Return the accounts of people, in a stable order. Superusers belong to the installation."""
    people = User.objects.filter(is_service=False, is_superuser=False)
    return people.prefetch_related("agent__groups").order_by("pk")


def groups(among: QuerySet[Group]) -> QuerySet[Group]:
    return among.prefetch_related("members__user").order_by("pk")


def show_user(user: User, root: str) -> dict[str, Any]:
    agent = getattr(user, "agent", None)
    shown: dict[str, Any] = {
        "schemas": [USER],
        "id": str(user.pk),
        "userName": user.username,
        "name": {"givenName": user.first_name, "familyName": user.last_name},
        "displayName": user.get_full_name() or user.username,
        "active": user.is_active,
        "emails": [{"value": user.email, "type": "work", "primary": True}] if user.email else [],
        "roles": [{"value": user.role, "primary": True}],
        "groups": [
            {"value": str(group.pk), "display": group.name, "$ref": f"{root}/Groups/{group.pk}"}
            for group in (agent.groups.all() if agent else ())
        ],
    }
    if user.external_id:
        shown["externalId"] = user.external_id
    return _with_meta(shown, "User", f"{root}/Users/{user.pk}")


def show_group(group: Group, root: str) -> dict[str, Any]:
    shown = {
        "schemas": [GROUP],
        "id": str(group.pk),
        "displayName": group.name,
        "members": [
            {
                "value": str(agent.user_id),
                "display": agent.display_name,
                "$ref": f"{root}/Users/{agent.user_id}",
            }
            for agent in group.members.all()
        ],
    }
    return _with_meta(shown, "Group", f"{root}/Groups/{group.pk}")


def show_list(shown: list[dict[str, Any]], *, total: int, start: int) -> dict[str, Any]:
    return {
        "schemas": [LIST],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": len(shown),
        "Resources": shown,
    }


def configuration(root: str) -> dict[str, Any]:
    off = {"supported": False}
    return {
        "schemas": [f"{CORE}:ServiceProviderConfig"],
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": LARGEST_PAGE},
        "changePassword": off,
        "sort": off,
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "API token",
                "description": "A token with the permission to change the directory.",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{root}/ServiceProviderConfig",
        },
    }


def types(root: str) -> list[dict[str, Any]]:
    return [
        {
            "schemas": [f"{CORE}:ResourceType"],
            "id": name,
            "name": name,
            "endpoint": f"/{name}s",
            "schema": schema,
            "meta": {"resourceType": "ResourceType", "location": f"{root}/ResourceTypes/{name}"},
        }
        for name, schema in (("User", USER), ("Group", GROUP))
    ]


def schemas(root: str) -> list[dict[str, Any]]:
    parts = [_attribute("givenName"), _attribute("familyName")]
    user = [
        _attribute("userName", required=True, uniqueness="server"),
        _attribute("name", type="complex", subAttributes=parts),
        _attribute("displayName", mutability="readOnly"),
        _attribute("active", type="boolean"),
        _attribute("emails", type="complex", multiValued=True, subAttributes=[_attribute("value")]),
        _attribute(
            "roles",
            type="complex",
            multiValued=True,
            subAttributes=[_attribute("value", canonicalValues=list(Role.values))],
        ),
        _attribute("groups", type="complex", multiValued=True, mutability="readOnly"),
    ]
    members = [_attribute("value", mutability="immutable")]
    group = [
        _attribute("displayName", required=True),
        _attribute("members", type="complex", multiValued=True, subAttributes=members),
    ]
    return [
        {
            "schemas": [f"{CORE}:Schema"],
            "id": schema,
            "name": name,
            "attributes": attributes,
            "meta": {"resourceType": "Schema", "location": f"{root}/Schemas/{schema}"},
        }
        for name, schema, attributes in (("User", USER, user), ("Group", GROUP, group))
    ]


def _attribute(name: str, **more: Any) -> dict[str, Any]:
    return {
        "name": name,
        "type": "string",
        "multiValued": False,
        "required": False,
        "caseExact": False,
        "mutability": "readWrite",
        "returned": "default",
        "uniqueness": "none",
    } | more


def _with_meta(shown: dict[str, Any], kind: str, location: str) -> dict[str, Any]:
    """Add the version, which is a digest of everything that is shown."""
    # A digest, because members and groups change without the row being written.
    text = json.dumps(shown, sort_keys=True)
    version = f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    return shown | {"meta": {"resourceType": kind, "location": location, "version": version}}
