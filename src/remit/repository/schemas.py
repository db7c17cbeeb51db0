"""JSON Schema for each kind of file, so that editors complete and check while one writes.

Generated from the models that check the files. They say what one file may hold;
what files say of each other, only `remit check` knows.

Source: JSON Schema 2020-12.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from pydantic import BaseModel

from remit.canonical import Json, JsonObject
from remit.repository.agent_file import AgentFile
from remit.repository.approvals_file import ApprovalsFile
from remit.repository.audit_file import AuditFile
from remit.repository.cases_file import CasesFile
from remit.repository.people_file import PeopleFile
from remit.repository.roles_file import RolesFile
from remit.repository.root_file import RootFile
from remit.repository.rules_file import RulesFile
from remit.repository.scopes_file import ScopesFile
from remit.repository.server_file import ServerFile
from remit.repository.trust_file import TrustFile

__all__ = ["FILE_MODELS", "json_schemas"]

FILE_MODELS: Final[Mapping[str, type[BaseModel]]] = MappingProxyType({
    "remit": RootFile,
    "server": ServerFile,
    "scopes": ScopesFile,
    "roles": RolesFile,
    "people": PeopleFile,
    "trust": TrustFile,
    "approvals": ApprovalsFile,
    "audit": AuditFile,
    "agent": AgentFile,
    "rules": RulesFile,
    "cases": CasesFile,
})  # fmt: skip
"""The model of each kind of file, by the name of its schema."""


def json_schemas() -> dict[str, JsonObject]:
    """The schema of each kind of file, by file name, such as `server.schema.json`."""
    return {f"{name}.schema.json": _schema(name, model) for name, model in FILE_MODELS.items()}


def _schema(name: str, model: type[BaseModel]) -> JsonObject:
    schema = _closed(model.model_json_schema(by_alias=True, mode="validation"))
    if not isinstance(schema, dict):
        raise TypeError("the schema of a model is an object")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "title": f"Remit policy repository, format version 1: {name}",
    }


def _closed(schema: Json) -> Json:
    """`schema` in which a mapping whose keys follow a pattern has no other keys."""
    if isinstance(schema, list):
        return [_closed(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: _closed(value) for key, value in schema.items()}
    if "patternProperties" in closed:
        closed.setdefault("additionalProperties", False)
    return closed
