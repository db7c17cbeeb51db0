import pytest

from remit.model import MANAGEMENT_SCOPES
from remit.repository import check_repository, load_repository, write_example

OPERATOR = """\
name: Operator
owner: platform@acme.example
class: assistant
purpose: Administers Remit.
scopes: [remit:agents.read, remit:tenants.cross]
environments: [management]
tenants: [acme]
clients:
  dynamic_redirect_uris: [http://127.0.0.1:9000/operator]
"""


@pytest.fixture
def repo(tmp_path):
    write_example(tmp_path / "policy")
    return tmp_path / "policy"


def _add(path, text):
    path.write_text(path.read_text() + text)


def _messages(repo):
    return [problem.message for problem in check_repository(repo).problems]


def test_an_agent_may_hold_management_scopes_in_the_management_environment(repo):
    (repo / "agents" / "operator.yaml").write_text(OPERATOR)
    catalog = load_repository(repo).catalog
    assert catalog.agents["operator"].scopes == ("remit:agents.read", "remit:tenants.cross")
    assert MANAGEMENT_SCOPES.items() <= catalog.scopes.items()


def test_nobody_declares_a_scope_of_the_management_api(repo):
    _add(
        repo / "scopes.yaml",
        "\nremit:agents.read:\n  title: Harmless\n  description: Nothing at all.\n",
    )
    assert _messages(repo) == ["the scope `remit:agents.read` is not the repository's to declare"]


def test_a_management_scope_that_does_not_exist_is_refused(repo):
    (repo / "agents" / "operator.yaml").write_text(OPERATOR.replace("agents.read", "agents.rule"))
    message = _messages(repo)[0]
    assert message.startswith("unknown scope `remit:agents.rule`")


def test_no_server_has_the_name_of_the_management_api(repo):
    (repo / "servers" / "remit.yaml").write_text((repo / "servers" / "payments.yaml").read_text())
    assert "the name `remit` is taken" in _messages(repo)


def test_no_server_and_no_unregistered_agent_stands_in_the_management_environment(repo):
    server = repo / "servers" / "payments.yaml"
    server.write_text(server.read_text().replace("environment: prod", "environment: management"))
    root = repo / "remit.yaml"
    root.write_text(
        root.read_text().replace("environments: [dev, prod]", "environments: [dev, management]")
    )
    messages = _messages(repo)
    assert messages.count("the environment `management` is for agents that administer Remit") == 3
