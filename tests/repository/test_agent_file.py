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
