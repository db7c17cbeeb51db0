"""What a server's declaration lets pass beyond what the gateway knows, by exact names."""

import pytest
from pydantic import BaseModel, ValidationError

from remit.gateway.methods import is_decided_here
from remit.repository.allowed_section import DECIDED_METHODS, AllowedExtensions, AllowedMethods

from .conftest import Repository


class _Allowing(BaseModel):
    methods: AllowedMethods = ()
    extensions: AllowedExtensions = ()


def test_what_a_server_file_allows_stands_in_the_catalog(repository: Repository) -> None:
    assert repository.catalog().servers["crm"].allowed_methods == ()
    repository.append(
        "servers/crm.yaml",
        "allowed_methods: [search/query, x.y/Z]\nallowed_extensions: [com.example/search]\n",
    )
    server = repository.catalog().servers["crm"]
    assert server.allowed_methods == ("search/query", "x.y/Z")
    assert server.allowed_extensions == ("com.example/search",)


METHODS = [
    "tools/call", "ping", "initialize", "tasks/get", "tasks/later", "subscriptions/listen",
    "notifications/cancelled", "notifications/x", "", "/", "a//b", "/a", "a/", "a b", "a\nb", "a*",
    "ünder/score", "a\u200bb", "x" * 129, "search/%71uery",
]  # fmt: skip


@pytest.mark.parametrize("name", METHODS, ids=range(len(METHODS)))
def test_a_method_that_is_decided_anyway_or_is_no_name_cannot_be_allowed(name: str) -> None:
    with pytest.raises(ValidationError):
        _Allowing(methods=(name,))


EXTENSIONS = [
    "io.modelcontextprotocol/tasks", "io.modelcontextprotocol/oauth-client-credentials",
    "io.modelcontextprotocol/enterprise-managed-authorization", "", "search", "com.example/",
    "/search", "com..example/x", "com.example/x/y", "com.example/*", "com.example/ x",
    "com.example/x\u200b", "com.exämple/x", "a/" + "x" * 127,
]  # fmt: skip


@pytest.mark.parametrize("name", EXTENSIONS, ids=range(len(EXTENSIONS)))
def test_an_extension_that_is_ours_or_is_no_name_cannot_be_allowed(name: str) -> None:
    with pytest.raises(ValidationError):
        _Allowing(extensions=(name,))


def test_a_name_is_said_once() -> None:
    for member, name in (("methods", "a/b"), ("extensions", "a.b/c")):
        with pytest.raises(ValidationError, match="said twice"):
            _Allowing.model_validate({member: [name, "x/y", name]})


def test_what_the_gateway_decides_cannot_be_allowed() -> None:
    for name in ("tools/call", "resources/read", "prompts/get", "completion/complete", "ping"):
        assert is_decided_here(name)
    asked_of_clients = {"elicitation/create", "roots/list", "sampling/createMessage"}
    assert all(is_decided_here(name) for name in DECIDED_METHODS - asked_of_clients)
