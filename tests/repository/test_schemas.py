from typing import Any

import jsonschema
import pytest

from remit.documents import parse_yaml
from remit.repository import json_schemas

from .conftest import FILES as DECLARED
from .conftest import Repository

PEOPLE = """\
second_factor: required
providers:
  login: {title: L, issuer: 'https://l.example', client_id: r, tenant: acme, rules: [{claims: {groups: a}, roles: [support]}]}
"""
TRUST = """\
issuers:
  github:
    issuer: https://token.actions.githubusercontent.com
    jwks: {keys: [{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}
    workloads: [{name: x, claims: {repository: [a/b, a/c]}, agent: helper, servers: [crm]}]
"""
FILES = {**DECLARED, "people.yaml": PEOPLE, "trust.yaml": TRUST}
KINDS = {
    "people.yaml": "people",
    "trust.yaml": "trust",
    "remit.yaml": "remit",
    "scopes.yaml": "scopes",
    "roles.yaml": "roles",
    "servers/crm.yaml": "server",
    "agents/helper.yaml": "agent",
}


def validator(kind: str) -> Any:
    schema = json_schemas()[f"{kind}.schema.json"]
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize(("file", "kind"), KINDS.items())
def test_each_kind_of_file_has_a_schema_that_admits_it(file: str, kind: str) -> None:
    validator(kind).validate(parse_yaml(FILES[file].encode(), file=file).value)


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("remit.yaml", "version: 1", "version: 2"),
        ("remit.yaml", "tenants:", "tenant:"),
        ("remit.yaml", "acme:", "ACME:"),
        ("servers/crm.yaml", "operation: read", "operation: reed"),
        ("servers/crm.yaml", "owner:", "owned:"),
        ("servers/crm.yaml", "shared: true", "shared: false"),
        ("servers/crm.yaml", "shared: true", "shared: true\ntenant: acme"),
        ("servers/crm.yaml", "{http: {url: 'https://crm.example/mcp'}}", "{}"),
        (
            "servers/crm.yaml",
            "upstream: {http:",
            "upstream: {stdio: {command: [python]}, http:",
        ),
        ("servers/crm.yaml", "https://crm", "http://crm"),
        ("servers/crm.yaml", "https://crm.example/mcp", "crm.example/mcp"),
        ("servers/crm.yaml", "example/mcp'", "example/mcp', bearer_secret: "),
        ("servers/crm.yaml", "example/mcp'", "example/mcp', bearer_secret: hunter2"),
        ("agents/helper.yaml", "class:", "agent_class:"),
        ("roles.yaml", "[crm:accounts.read]", "crm:accounts.read"),
        ("remit.yaml", "environments:", "registration: {dynamic: true}\nenvironments:"),
        ("remit.yaml", "environments:", "registration: {document_hosts: [1]}\nenvironments:"),
        ("remit.yaml", "environments:", "issuer: {signing_key_lifetime: 0d}\nenvironments:"),
        ("people.yaml", "required", "always"),
        ("people.yaml", "https://l.example", "l.example"),
        ("people.yaml", "{groups: a}", "{groups: 1}"),
        ("trust.yaml", "kty: OKP,", "kty: OKP, d: AAAA,"),
        ("trust.yaml", "[crm]", "[]"),
        ("trust.yaml", "workloads:", "algorithms: [HS256]\n    workloads:"),
    ],
)
def test_what_the_check_refuses_in_one_file_an_editor_refuses_too(
    file: str, old: str, new: str
) -> None:
    text = FILES[file].replace(old, new)
    assert not validator(KINDS[file]).is_valid(parse_yaml(text.encode(), file=file).value)


@pytest.mark.parametrize(
    "url",
    [
        "https://crm.example:8443/mcp?tenant=1",
        "http://localhost:8611/mcp",
        "http://127.0.0.2/mcp",
        "http://[::1]:8611/mcp",
    ],
)
def test_what_the_check_admits_an_editor_admits_too(repository: Repository, url: str) -> None:
    repository.edit("servers/crm.yaml", "https://crm.example/mcp", url)
    assert repository.said() == []
    text = (repository.path / "servers" / "crm.yaml").read_bytes()
    validator("server").validate(parse_yaml(text, file="crm.yaml").value)
