"""How a server is reached: over HTTP with a credential, or as a process within limits."""

import pytest

from remit.model import SecretCredential, StdioUpstream

from .conftest import Repository

HTTP = "{http: {url: 'https://crm.example/mcp'}}"
STDIO = "{stdio: {command: [python, -m, x]}}"


def _stdio(repository: Repository, inner: str) -> Repository:
    return repository.edit("servers/crm.yaml", HTTP, STDIO.replace("x]", f"x], {inner}"))


def test_a_process_is_held_within_what_its_file_says(repository: Repository) -> None:
    _stdio(
        repository,
        "inherit: [SSL_CERT_FILE, HTTPS_PROXY], max_memory: 512MiB, max_cpu: 10m,"
        " max_open_files: 64, max_processes: 4,"
        " environment: {A: 'stored:crm.token', B: 'env:B', C: plain}",
    )
    assert repository.catalog().servers["crm"].upstream == StdioUpstream(
        command=("python", "-m", "x"),
        environment={"A": "stored:crm.token", "B": "env:B", "C": "plain"},
        inherit=("SSL_CERT_FILE", "HTTPS_PROXY"),
        max_memory_bytes=512 * 1024 * 1024,
        max_cpu_seconds=600,
        max_open_files=64,
        max_processes=4,
    )


def test_what_is_not_said_is_no_limit(repository: Repository) -> None:
    repository.edit("servers/crm.yaml", HTTP, STDIO)
    upstream = repository.catalog().servers["crm"].upstream
    assert upstream == StdioUpstream(command=("python", "-m", "x"))
    assert (upstream.max_memory_bytes, upstream.inherit) == (None, ())


def test_a_bearer_secret_is_the_short_form_of_a_credential(repository: Repository) -> None:
    repository.edit("servers/crm.yaml", "mcp'}}", "mcp', bearer_secret: 'stored:crm'}}")
    assert repository.catalog().servers["crm"].upstream.presents == SecretCredential(
        secret="stored:crm", header="authorization", scheme="Bearer"
    )


@pytest.mark.parametrize(
    ("inner", "says"),
    [
        ("inherit: [REMIT_MASTER_KEY]", "`REMIT_MASTER_KEY` is Remit's own"),
        ("inherit: [REMIT_DATABASE_URL]", "`REMIT_DATABASE_URL` is Remit's own"),
        ("inherit: ['*']", "`*` is no name of an environment variable"),
        ("inherit: [PATH], environment: {PATH: /bin}", "`PATH` is both inherited and given a value"),
        ("max_memory: 512", "`512` is no size"),
        ("max_memory: 512MB", "`512MB` is no size"),
        ("max_memory: 1MiB", "the size is out of bounds"),
        ("max_open_files: 4", "`4` is no number in bounds"),
        ("max_open_files: '64'", "`64` is no number in bounds"),
        ("max_processes: 0", "`0` is no number in bounds"),
        ("max_processes: true", "`True` is no number in bounds"),
        ("max_cpu: 60", "`60` is not a length of time"),
        ("credential: {connection: true}", "one process serves all callers, so it cannot be given the credential of one"),
        ("environment: {A: 'env:'}", "what begins like a reference to a secret is none"),
        ("environment: {A: 'stored:CRM'}", "what begins like a reference to a secret is none"),
        ("environment: {A: 'file:relative'}", "what begins like a reference to a secret is none"),
    ],
    ids=lambda text: text,
)  # fmt: skip
def test_what_a_process_cannot_be_is_refused(repository: Repository, inner: str, says: str) -> None:
    _stdio(repository, inner)
    [problem] = repository.said()
    assert says in problem


def test_a_reference_that_is_none_may_be_the_secret_and_is_not_shown(
    repository: Repository,
) -> None:
    _stdio(repository, "environment: {A: 'stored:Hunter2'}")
    assert "unter2" not in repr(repository.problems())


def test_a_server_has_one_credential(repository: Repository) -> None:
    repository.edit(
        "servers/crm.yaml",
        "mcp'}}",
        "mcp', bearer_secret: 'env:A', credential: {secret: 'env:B'}}}",
    )
    assert repository.said() == ["servers/crm.yaml:5 the server has two credentials"]
