"""The nouns: frozen, and ordered where order means something."""

from dataclasses import FrozenInstanceError

import pytest

from remit.ids import ScopeName, ServerName
from remit.model import (
    Environment,
    HttpUpstream,
    Operation,
    Prompt,
    Resource,
    Sensitivity,
    Server,
    Tool,
)


def _server() -> Server:
    def tool(name: str, scope: str) -> Tool:
        return Tool(
            name=name,
            operation=Operation.READ,
            scopes=(ScopeName(scope),),
            sensitivity=Sensitivity.LOW,
        )

    return Server(
        name=ServerName("crm"),
        title="CRM",
        owner="sales",
        tenant=None,
        environment=Environment("prod"),
        upstream=HttpUpstream(url="https://crm.example/mcp"),
        tools={"b": tool("b", "crm:b.read"), "a": tool("a", "crm:a.read")},
        resources=(
            Resource(
                uri="crm://x",
                is_template=False,
                operation=Operation.READ,
                scopes=(ScopeName("crm:x.read"),),
                sensitivity=Sensitivity.LOW,
            ),
        ),
        prompts={
            "p": Prompt(name="p", scopes=(ScopeName("crm:a.read"),), sensitivity=Sensitivity.LOW)
        },
    )


def test_sensitivity_is_ordered_from_low_to_critical():
    assert [
        one.rank
        for one in (Sensitivity.LOW, Sensitivity.MEDIUM, Sensitivity.HIGH, Sensitivity.CRITICAL)
    ] == [0, 1, 2, 3]


def test_a_server_knows_every_scope_that_anything_on_it_requires():
    assert _server().scopes == ("crm:a.read", "crm:b.read", "crm:x.read")


def test_what_was_declared_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        _server().name = ServerName("other")  # type: ignore[misc]
