import pytest

from remit.model import PersonTrust, Trust, TrustedIssuer, WorkloadRule

from .conftest import Repository

JOB = """\
name: Job
owner: ops@acme.example
class: workload
scopes: [crm:accounts.read]
environments: [prod]
tenants: [acme]
"""
PEOPLE = """\
providers:
  acme-login: {title: Acme, issuer: 'https://login.acme.example', client_id: remit, tenant: acme}
"""
GITHUB = """\
issuers:
  github:
    issuer: https://token.actions.githubusercontent.com
    workloads:
      - name: billing
        claims: {repository_id: '123', ref: refs/heads/main}
        agent: job
        servers: [crm]
"""


@pytest.fixture
def repository(repository: Repository) -> Repository:
    return repository.write("agents/job.yaml", JOB).write("people.yaml", PEOPLE)


def test_without_the_file_nobody_is_believed(repository: Repository) -> None:
    assert repository.catalog().trust == Trust()


def test_what_is_left_out_has_its_default(repository: Repository) -> None:
    issuer = "https://token.actions.githubusercontent.com"
    assert repository.write("trust.yaml", GITHUB).catalog().trust.issuers == {
        issuer: TrustedIssuer(
            name="github",
            issuer=issuer,
            workloads=(
                WorkloadRule(
                    name="billing",
                    claims={"repository_id": ("123",), "ref": ("refs/heads/main",)},
                    agent="job",
                    servers=("crm",),
                ),
            ),
        )
    }


def test_what_is_written_is_what_holds(repository: Repository) -> None:
    repository.write(
        "trust.yaml",
        """\
issuers:
  cluster:
    issuer: https://kubernetes.default.svc
    jwks_uri: https://10.0.0.1/openid/v1/jwks
    ca_file: /etc/ca.crt
    private_network: true
    algorithms: [RS256]
    audiences: [remit]
    max_lifetime: 10m
    require_jti: false
    workloads:
      - name: billing
        claims: {kubernetes.io.namespace: [billing, invoices]}
        agent: job
        servers: [crm]
        scopes: [crm:accounts.read]
        lifetime: 5m
  idp:
    issuer: https://login.acme.example
    id_jag: {provider: acme-login, clients: ['https://app.example/client'], servers: [crm]}
    exchange: {provider: acme-login, audiences: [api]}
""",
    )
    repository.append(
        "agents/helper.yaml", "clients: {metadata_documents: ['https://app.example/client']}\n"
    )
    assert repository.catalog().trust.issuers == {
        "https://kubernetes.default.svc": TrustedIssuer(
            name="cluster",
            issuer="https://kubernetes.default.svc",
            jwks_uri="https://10.0.0.1/openid/v1/jwks",
            ca_file="/etc/ca.crt",
            private_network=True,
            algorithms=("RS256",),
            audiences=("remit",),
            max_lifetime=600,
            require_jti=False,
            workloads=(
                WorkloadRule(
                    name="billing",
                    claims={"kubernetes.io.namespace": ("billing", "invoices")},
                    agent="job",
                    servers=("crm",),
                    scopes=("crm:accounts.read",),
                    lifetime=300,
                ),
            ),
        ),
        "https://login.acme.example": TrustedIssuer(
            name="idp",
            issuer="https://login.acme.example",
            id_jag=PersonTrust(
                provider="acme-login", clients=("https://app.example/client",), servers=("crm",)
            ),
            exchange=PersonTrust(provider="acme-login", audiences=("api",)),
        ),
    }


def test_the_file_counts_for_the_version(repository: Repository) -> None:
    before = repository.catalog().version
    assert repository.write("trust.yaml", GITHUB).catalog().version != before


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("issuer: token.example", "`token.example` is no issuer"),
        ("algorithms: [HS256]", "`HS256` is not known here; did you mean `RS256`?"),
        ("algorithms: [none]", "`none` is not known here"),
        ("algorithms: []", "a list is out of bounds"),
        ("jwks_uri: http://10.0.0.1/x", "`http://10.0.0.1/x` would be asked in the clear"),
        ("jwks_uri: https://10.0.0.1/x", "`https://10.0.0.1/x` is a private address"),
        ("ca_file: ca.crt", "`ca.crt` is no path of a file"),
        ("max_lifetime: 2d", "the length of time is out of bounds"),
        ("id_jag: {provider: acme-logn}", "unknown identity provider `acme-logn`; did you mean `acme-login`?"),
        ("id_jag: {provider: acme-login, audiences: [x]}", "unknown key `audiences`"),
        ("id_jag: {provider: acme-login, servers: [crn]}", "unknown server `crn`; did you mean `crm`?"),
        ("id_jag: {provider: acme-login, clients: [nobody]}", "unknown client `nobody`"),
        ("exchange: {provider: acme-login}", "`audiences` is missing"),
        ("exchange: {provider: acme-login, audiences: []}", "a list is out of bounds"),
    ],
)  # fmt: skip
def test_what_an_issuer_cannot_be_is_refused_at_its_line(
    repository: Repository, line: str, says: str
) -> None:
    key = line.partition(":")[0]
    kept = [one for one in GITHUB.splitlines() if not one.strip().startswith(f"{key}:")]
    kept.insert(2, f"    {line}")
    repository.write("trust.yaml", "\n".join(kept) + "\n")
    assert repository.said() == [f"trust.yaml:3 {says}"]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("claims: {}", "6 a mapping is out of bounds"),
        ("claims: {repository_id: 123}", "6 `123` where a list belongs"),
        ("claims: {repository_id: []}", "6 a list is out of bounds"),
        ("agent: jobb", "7 unknown agent `jobb`; did you mean `job`?"),
        ("servers: []", "8 a list is out of bounds"),
        ("servers: [crn]", "8 unknown resource server `crn`; did you mean `crm`?"),
    ],
)
def test_what_a_rule_cannot_say_is_refused_at_its_line(
    repository: Repository, line: str, says: str
) -> None:
    key = line.partition(":")[0]
    lines = [
        f"        {line}" if one.strip().startswith(f"{key}:") else one
        for one in GITHUB.splitlines()
    ]
    repository.write("trust.yaml", "\n".join(lines) + "\n")
    assert repository.said() == [f"trust.yaml:{says}"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("issuers: {a: {issuer: 'https://a.example'}}", "an issuer that is believed about nothing"),
        (
            "issuers: {a: {issuer: 'https://a.example', audiences: [x], id_jag: {provider: acme-login}}}",
            "`audiences` are for the assertions of workloads",
        ),
        (
            "issuers: {a: {issuer: 'https://a.example', jwks_uri: 'https://a.example/k', jwks: {keys: [{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}, id_jag: {provider: acme-login}}}",
            "the keys stand here and elsewhere",
        ),
        (
            "issuers: {a: {issuer: 'https://a.example', ca_file: /x, jwks: {keys: [{kty: OKP, crv: Ed25519, x: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo}]}, id_jag: {provider: acme-login}}}",
            "a `ca_file` for what is never fetched",
        ),
    ],
)
def test_what_makes_no_sense_together_is_refused(
    repository: Repository, text: str, says: str
) -> None:
    repository.write("trust.yaml", text + "\n")
    assert repository.said() == [f"trust.yaml:1 {says}"]


def test_an_agent_whose_file_cannot_be_read_is_not_called_unknown(repository: Repository) -> None:
    repository.write("trust.yaml", GITHUB).write("agents/job.yaml", "name: [")
    assert {one.split(":")[0] for one in repository.said()} == {"agents/job.yaml"}


def test_without_any_provider_none_is_known(repository: Repository) -> None:
    (repository.path / "people.yaml").unlink()
    repository.write(
        "trust.yaml",
        "issuers: {a: {issuer: 'https://a.example', id_jag: {provider: acme-login}}}\n",
    )
    assert repository.said() == ["trust.yaml:1 unknown identity provider `acme-login`"]
