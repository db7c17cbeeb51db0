import pytest

from .conftest import FILES, Repository

OTHER = """\
name: Other
owner: lead@acme.example
class: autonomous
scopes: [crm:accounts.read, crm:accounts.write]
environments: [prod]
tenants: [acme, globex]
clients:
  static:
    - {client_id: other, name: O, secret: env:OTHER, grant_types: [token_exchange]}
"""


@pytest.fixture
def repository(repository: Repository) -> Repository:
    repository.write("agents/other.yaml", OTHER)
    return repository.append("agents/helper.yaml", "delegates: [other]\n")


def test_an_agent_that_can_do_something_with_a_token_may_be_handed_it(
    repository: Repository,
) -> None:
    assert repository.catalog().agents["helper"].delegates == ("other",)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("[acme, globex]", "[globex]", "`other` is of other tenants"),
        ("[crm:accounts.read, crm:accounts.write]", "[crm:accounts.write]", "`other` could do nothing with its tokens"),
        ("[token_exchange]", "[client_credentials]", "`other` has no client that exchanges tokens"),
        ("  static:\n    - {client_id: other, name: O, secret: env:OTHER, grant_types: [token_exchange]}", "  {}", "`other` has no client that exchanges tokens"),
    ],
)  # fmt: skip
def test_a_delegate_that_could_do_nothing_is_refused(
    repository: Repository, old: str, new: str, says: str
) -> None:
    if old == "[token_exchange]":
        repository.edit("agents/other.yaml", "[acme, globex]", "[acme]")
    repository.edit("agents/other.yaml", old, new)
    assert repository.said() == [f"agents/helper.yaml:7 {says}"]


def test_what_clients_that_introduce_themselves_may_do_is_not_told_here(
    repository: Repository,
) -> None:
    repository.edit("agents/other.yaml", OTHER.partition("  static:")[2], " []\n")
    repository.append("agents/other.yaml", "  dynamic_redirect_uris: ['http://127.0.0.1/cb']\n")
    assert repository.said() == []


def test_an_agent_is_not_its_own_delegate(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[other]", "[helper]")
    assert repository.said() == ["agents/helper.yaml:7 `helper` would be its own delegate"]


def test_where_no_token_is_exchanged_nobody_is_a_delegate(repository: Repository) -> None:
    repository.append("remit.yaml", "guardrails: {max_delegation_depth: 0}\n")
    assert repository.said() == ["agents/helper.yaml:7 no token is ever exchanged"]


def test_a_delegate_exists(repository: Repository) -> None:
    repository.edit("agents/helper.yaml", "[other]", "[othr]")
    assert repository.said() == ["agents/helper.yaml:7 unknown agent `othr`; did you mean `other`?"]


@pytest.mark.parametrize(
    ("servers", "says"),
    [
        ("[crm]", []),
        ("[crn]", ["unknown server `crn`; did you mean `crm`?"]),
        ("[far]", ["`far` is out of reach: it is of environment `dev`"]),
    ],
)
def test_an_exchange_is_for_a_server_within_reach(
    repository: Repository, servers: str, says: list[str]
) -> None:
    repository.write("servers/far.yaml", FILES["servers/crm.yaml"].replace("prod", "dev"))
    repository.append("agents/other.yaml", f"exchange_servers: {servers}\n")
    assert repository.said() == [f"agents/other.yaml:10 {one}" for one in says]


def test_an_exchange_takes_a_client_that_may_exchange(repository: Repository) -> None:
    repository.append("agents/helper.yaml", "exchange_servers: [crm]\n")
    assert repository.said() == ["agents/helper.yaml:8 no client of this agent exchanges tokens"]
