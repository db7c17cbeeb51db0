"""The management API described: one OpenAPI document, made of the table and the shapes.

Public, like the metadata of the authorization server: it says how to ask and tells nothing
of what the answer would be.

Source: OpenAPI Specification 3.1.1; RFC 9457 (problems).
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from remit.api.operation import AnyOperation, Shape
from remit.api.table import OPERATIONS
from remit.canonical import JsonObject
from remit.model import MANAGEMENT_PATH, MANAGEMENT_SCOPES
from remit.web import json_response

__all__ = ["DESCRIPTION_PATH", "description_route", "openapi"]

DESCRIPTION_PATH: Final = f"{MANAGEMENT_PATH}/openapi.json"

_REFERENCE: Final = "#/components/schemas/{model}"
_ALWAYS: Final = {
    400: "The request cannot be read, or asks for what cannot be.",
    401: "No access token, or one that is not good (RFC 6750 §3.1).",
    403: "The token lacks a scope, or a policy or the organisation stands in the way.",
    404: "There is nothing of that name, or not in your organisation.",
    503: "Remit cannot answer at the moment; nothing was changed.",
}
_OF_CHANGES: Final = {
    409: "It is so already, or its state does not admit it.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The policy repository has mistakes.",
}


class Problem(BaseModel):
    """What was wrong (RFC 9457); `code` is a stable word."""

    type: str
    status: int
    code: str
    detail: str
    problems: list[str] = []


def description_route(public_url: str) -> Route:
    """Where the description stands."""
    made: list[JsonObject] = []

    def endpoint(_request: Request) -> Response:
        # Made when first asked for: it takes longer than all else that a start would wait for.
        if not made:
            made.append(openapi(public_url))
        return json_response(made[0], headers={"Cache-Control": "public, max-age=300"})

    return Route(DESCRIPTION_PATH, endpoint, methods=["GET"])


def openapi(public_url: str) -> JsonObject:
    """The description of the API at `public_url`."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        entry = operation.entry
        path = entry.path.replace(":path}", "}")
        paths.setdefault(path, {})[entry.method.lower()] = _operation(operation)
    document: dict[str, Any] = {
        "openapi": "3.1.1",
        "info": {
            "title": "Remit management API",
            "version": "1",
            "description": "Administration of a Remit, with access tokens of its own authorization server.",
        },
        "servers": [{"url": public_url}],
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": _security(public_url)},
    }
    return document


def _operation(operation: AnyOperation) -> dict[str, Any]:
    entry = operation.entry
    described: dict[str, Any] = {
        "operationId": entry.name,
        "summary": entry.summary,
        "tags": [entry.name.split(".", maxsplit=1)[0]],
        "security": [{"oauth2": list(entry.scopes)}],
        "parameters": [*_path_parameters(entry.path), *_query_parameters(operation.query)],
        "responses": _responses(operation),
    }
    if entry.method != "GET":
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _reference(operation.body)}},
        }
    return described


def _path_parameters(path: str) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"\{([a-z_]+)(?::path)?\}", path):
        yield {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "minLength": 1, "maxLength": 512},
        }


def _query_parameters(shape: type[Shape]) -> Iterator[dict[str, Any]]:
    schema = shape.model_json_schema()
    required = schema.get("required", [])
    for name, member in schema.get("properties", {}).items():
        yield {
            "name": name,
            "in": "query",
            "required": name in required,
            "schema": _without_null({k: v for k, v in member.items() if k != "title"}),
        }


def _without_null(member: dict[str, Any]) -> dict[str, Any]:
    """A parameter is there or not: it cannot be `null`."""
    present = [one for one in member.get("anyOf", ()) if one != {"type": "null"}]
    return present[0] if len(present) == 1 else member


def _responses(operation: AnyOperation) -> dict[str, Any]:
    media = "application/x-ndjson" if operation.lines else "application/json"
    good: dict[str, Any] = {
        "description": (operation.answer.__doc__ or "Done.").strip().splitlines()[0],
        "content": {
            operation.media or media: {
                "schema": {"type": "string"} if operation.media else _reference(operation.answer)
            }
        },
    }
    refusals = _ALWAYS if operation.entry.method == "GET" else _ALWAYS | _OF_CHANGES
    problem = {"application/problem+json": {"schema": _reference(Problem)}}
    return {"200": good} | {
        str(status): {"description": words, "content": problem}
        for status, words in refusals.items()
    }


def _schemas() -> dict[str, Any]:
    shapes: list[tuple[type[BaseModel], Any]] = [(Problem, "serialization")]
    for operation in OPERATIONS:
        shapes.append((operation.answer, "serialization"))
        shapes.append((operation.body, "validation"))
    unique = list(dict.fromkeys(shapes))
    _, schema = models_json_schema(unique, ref_template=_REFERENCE)
    found: dict[str, Any] = schema["$defs"]
    return found


def _security(public_url: str) -> dict[str, Any]:
    scopes = {str(name): scope.title for name, scope in sorted(MANAGEMENT_SCOPES.items())}
    return {
        "oauth2": {
            "type": "oauth2",
            "flows": {
                "authorizationCode": {
                    "authorizationUrl": f"{public_url}/authorize",
                    "tokenUrl": f"{public_url}/token",
                    "scopes": scopes,
                },
                "clientCredentials": {"tokenUrl": f"{public_url}/token", "scopes": scopes},
            },
        }
    }


def _reference(shape: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=shape.__name__)}
