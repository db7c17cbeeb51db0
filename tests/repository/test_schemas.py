from typing import Any

import jsonschema
import pytest

from remit.documents import parse_yaml
from remit.repository import json_schemas

from .conftest import FILES

KINDS = {
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
        ("agents/helper.yaml", "class:", "agent_class:"),
        ("roles.yaml", "[crm:accounts.read]", "crm:accounts.read"),
    ],
)
def test_what_the_check_refuses_in_one_file_an_editor_refuses_too(
    file: str, old: str, new: str
) -> None:
    text = FILES[file].replace(old, new)
    assert not validator(KINDS[file]).is_valid(parse_yaml(text.encode(), file=file).value)
