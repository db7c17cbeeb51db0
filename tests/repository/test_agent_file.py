import pytest

from remit.model import AgentClass, Sensitivity, StaticClient

from .conftest import Repository

WORKLOAD = """\
name: Job
owner: ops@acme.example
class: workload
purpose: Works at night.
scopes: [crm:accounts.read]
environments: [dev, prod]
tenants: [acme]
max_sensitivity: low
clients:
  static:
    - client_id: job
      name: Job
      grant_types: [client_credentials]
      secret: env:JOB_SECRET
"""


def test_an_agent_is_what_its_file_says(repository: Repository) -> None:
    agent = repository.write("agents/job.yaml", WORKLOAD).catalog().agents["job"]
    assert (agent.id, agent.agent_class, agent.purpose) == (
        "job",
        AgentClass.WORKLOAD,
        "Works at night.",
    )
    assert (agent.environments, agent.tenants) == (("dev", "prod"), ("acme",))
    assert agent.max_sensitivity is Sensitivity.LOW
    assert agent.clients.static == (
        StaticClient(
            client_id="job",
            name="Job",
            grant_types=("client_credentials",),
            secret="env:JOB_SECRET",
        ),
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("class: workload", "class: unregistered", "3 an agent with a file of its own is registered"),
        ("class: workload", "class: robot", "3 `robot` is not known here"),
        ("class: workload\n", "", "1 `class` is missing"),
        ("tenants: [acme]", "tenants: [acme, globex]", "1 an agent with `client_credentials` acts for itself, in one tenant"),
        ("tenants: [acme]", "tenants: []", "7 a list is out of bounds"),
        ("      secret: env:JOB_SECRET\n", "", "11 a client with `client_credentials` must prove who it is"),
        ("[client_credentials]", "[client_credentials, refresh_token]", "11 `refresh_token` without `authorization_code`"),
        ("[client_credentials]", "[authorization_code]", "11 a client with `authorization_code` has nowhere to be sent back to"),
        ("[client_credentials]", "[client_credentials]\n      redirect_uris: ['https://a.example/cb']", "11 `redirect_uris` on a client that no code is sent to"),
        ("[client_credentials]", "[password]", "13 `password` is not known here"),
        ("[client_credentials]", "[client_credentials, urn:x]", "13 `urn:x` is not known here"),
        ("secret: env:JOB_SECRET", "secret: env:JOB_SECRET\n      jwks_uri: https://a.example/jwks", "11 a client proves itself in one way"),
        ("secret: env:JOB_SECRET", "jwks_uri: http://a.example/jwks", "14 `http://a.example/jwks` is no URL"),
        ("secret: env:JOB_SECRET", "jwks_uri: https://10.0.0.1/jwks", "14 `https://10.0.0.1/jwks` is a private address"),
        ("secret: env:JOB_SECRET", "jwks: {keys: []}", "14 a list is out of bounds"),
        ("secret: env:JOB_SECRET", "secret: env:JOB_SECRET\n      dpop_bound_access_tokens: required", "15 `required` where `true` or `false` belongs"),
        ("max_sensitivity: low", "dpop: always", "8 `always` is not known here"),
        ("max_sensitivity: low", "regions: [eu]", "8 unknown region `eu`"),
        ("max_sensitivity: low", "regions: [EU]", "8 unknown region `EU`"),
        ("client_id: job", "client_id: a:b", "11 `a:b` is no client identifier"),
        ("client_id: job", "client_id: https://a.example/x", "11 `https://a.example/x` is no client identifier"),
    ],
)  # fmt: skip
def test_what_an_agent_cannot_be_is_refused_at_its_line(
    repository: Repository, old: str, new: str, says: str
) -> None:
    repository.write("agents/job.yaml", WORKLOAD).edit("agents/job.yaml", old, new)
    assert repository.said() == [f"agents/job.yaml:{says}"]


def test_a_secret_in_the_file_is_refused_and_not_shown(repository: Repository) -> None:
    repository.write("agents/job.yaml", WORKLOAD.replace("env:JOB_SECRET", "hunter2"))
    [problem] = repository.problems()
    assert (problem.line, problem.excerpt) == (14, "")
    assert "hunter2" not in repr(problem)


def test_a_public_client_may_narrow_its_own_token(repository: Repository) -> None:
    text = WORKLOAD.replace("[client_credentials]", "[token_exchange]")
    repository.write("agents/job.yaml", text.replace("      secret: env:JOB_SECRET\n", ""))
    assert repository.said() == []


@pytest.mark.parametrize("grant", ["client_credentials", "jwt_bearer"])
def test_what_acts_without_a_person_at_the_door_proves_who_it_is(
    repository: Repository, grant: str
) -> None:
    text = WORKLOAD.replace("[client_credentials]", f"[{grant}]")
    repository.write("agents/job.yaml", text)
    assert repository.said() == []
    repository.edit("agents/job.yaml", "      secret: env:JOB_SECRET\n", "")
    assert repository.said() == [f"agents/job.yaml:11 a client with `{grant}` must prove who it is"]


def test_an_agent_says_where_it_may_act_and_to_whom_it_hands_on(repository: Repository) -> None:
    repository.edit("servers/crm.yaml", "environment: prod", "environment: prod\nregion: eu")
    repository.write(
        "agents/job.yaml",
        WORKLOAD.replace("max_sensitivity: low", "regions: [eu]\ndpop: required\nexchange_servers: [crm]")
        .replace("[client_credentials]", "[client_credentials, token_exchange]")
        .replace("secret: env:JOB_SECRET", "jwks_uri: https://job.example/jwks\n      dpop_bound_access_tokens: true"),
    )  # fmt: skip
    agent = repository.catalog().agents["job"]
    assert (agent.regions, agent.dpop_required, agent.exchange_servers) == (
        ("eu",),
        True,
        ("crm",),
    )
    [client] = agent.clients.static
    assert client.grant_types == (
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    )
    assert (client.secret, client.jwks_uri) == (None, "https://job.example/jwks")
    assert client.dpop_bound_access_tokens
