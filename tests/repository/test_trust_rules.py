import pytest

from .conftest import Repository

JOB = """\
name: Job
owner: ops@acme.example
class: workload
scopes: [crm:accounts.read]
environments: [prod]
tenants: [acme]
"""
HEAD = """\
issuers:
  github:
    issuer: https://token.actions.githubusercontent.com
    workloads:
"""
RULE = "      - {name: billing, agent: job, servers: [crm], claims: {repository: acme/billing}}\n"


@pytest.fixture
def repository(repository: Repository) -> Repository:
    return repository.write("agents/job.yaml", JOB).write("trust.yaml", HEAD + RULE)


def test_a_rule_for_a_workload_is_admitted(repository: Repository) -> None:
    assert repository.said() == []


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        ("{ref: refs/heads/main}", "every repository of GitHub could match: nothing says which one it is"),
        ("{repository: '*'}", "`*` matches everything"),
        ("{repository: [acme/billing, 'acme*']}", "`acme*` matches owners of other names, too"),
        ("{repository: acme/billing, actor: octocat}", "anybody can be the `actor` of a pipeline"),
        ("{repository: 'acme/*/x'}", "`acme/*/x` has a wildcard before its end"),
    ],
)  # fmt: skip
def test_claims_that_strangers_have_are_refused(
    repository: Repository, claims: str, says: str
) -> None:
    repository.edit("trust.yaml", "{repository: acme/billing}", claims)
    assert repository.said() == [f"trust.yaml:5 {says}"]


def test_the_value_that_is_too_wide_is_pointed_at(repository: Repository) -> None:
    repository.write(
        "trust.yaml",
        HEAD
        + "      - name: x\n        agent: job\n        servers: [crm]\n        claims:\n"
        + "          repository:\n            - acme/billing\n            - '*'\n",
    )
    [problem] = repository.problems()
    assert (problem.line, problem.column) == (11, 15)


@pytest.mark.parametrize(
    ("file", "old", "new", "says"),
    [
        ("agents/job.yaml", "class: workload", "class: assistant", "`job` is no workload: a person has to be there"),
        ("agents/job.yaml", "[acme]", "[acme, globex]", "`job` is of several tenants, and a workload is of one"),
        ("agents/job.yaml", "[prod]", "[dev]", "`crm` is out of reach of `job`: it is of environment `prod`"),
        ("agents/job.yaml", "[acme]\n", "[acme]\nregions: []\n", ""),
        ("servers/crm.yaml", "shared: true", "tenant: globex", "`crm` is out of reach of `job`: it is of tenant `globex`"),
        ("trust.yaml", "servers: [crm]", "servers: [crm], scopes: ['crm:accounts.write']", "`job` may not hold the scope `crm:accounts.write`"),
        ("trust.yaml", "servers: [crm]", "servers: [crm], scopes: ['crm:accounts.read']", ""),
    ],
)  # fmt: skip
def test_a_workload_is_no_more_than_its_agent(
    repository: Repository, file: str, old: str, new: str, says: str
) -> None:
    repository.edit(file, old, new)
    assert repository.said() == ([f"trust.yaml:5 {says}"] if says else [])


@pytest.mark.parametrize(
    ("claims", "reached"),
    [
        ("{repository: acme/billing, ref: refs/heads/main}", False),
        ("{repository: 'acme/billing'}", False),
        ("{repository: acme/other}", True),
        ("{repository: [acme/billing, acme/other]}", True),
        ("{repository_id: '1'}", True),
    ],
)
def test_a_rule_that_an_earlier_one_leaves_nothing_to_is_refused(
    repository: Repository, claims: str, *, reached: bool
) -> None:
    repository.append(
        "trust.yaml", f"      - {{name: later, agent: job, servers: [crm], claims: {claims}}}\n"
    )
    found = [] if reached else ["trust.yaml:6 the rule `billing` leaves nothing to this one"]
    assert repository.said() == found


def test_a_rule_has_a_name_of_its_own(repository: Repository) -> None:
    repository.append("trust.yaml", RULE.replace("acme/billing", "acme/other"))
    assert repository.said() == ["trust.yaml:6 the rule `billing` stands here twice"]


def test_an_issuer_is_declared_once(repository: Repository) -> None:
    repository.append(
        "trust.yaml",
        "  again:\n    issuer: https://token.actions.githubusercontent.com\n    workloads:\n"
        + RULE,
    )
    assert repository.said() == [
        "trust.yaml:7 the issuer `https://token.actions.githubusercontent.com` is that of `github` too"
    ]


@pytest.mark.parametrize(
    ("purpose", "grant"), [("id_jag", "jwt_bearer"), ("exchange", "token_exchange")]
)
def test_a_client_is_trusted_with_what_it_could_show(
    repository: Repository, purpose: str, grant: str
) -> None:
    repository.write(
        "people.yaml",
        "providers: {idp: {title: I, issuer: 'https://i.example', client_id: r, tenant: acme}}\n",
    )
    audiences = ", audiences: [x]" if purpose == "exchange" else ""
    repository.write(
        "trust.yaml",
        f"issuers: {{i: {{issuer: 'https://i.example', {purpose}: {{provider: idp, clients: [app]{audiences}}}}}}}\n",
    )
    repository.append(
        "agents/job.yaml",
        "clients: {static: [{client_id: app, name: A, grant_types: [client_credentials], secret: 'env:X'}]}\n",
    )
    assert repository.said() == ["trust.yaml:1 the client `app` could never show one"]
    repository.edit("agents/job.yaml", "[client_credentials]", f"[client_credentials, {grant}]")
    assert repository.said() == []
