"""Engines as `remit.yaml` declares them, and whatever is no engine there."""

import pytest

from remit.model import EngineKind, ExternalEngine

from .conftest import Repository

MAIN = "engines: {{main: {{{}}}}}\n"


def declaring(repository: Repository, fields: str) -> Repository:
    return repository.append("remit.yaml", MAIN.format(fields))


def test_an_engine_is_declared_once_and_named_by_servers_and_tenants(
    repository: Repository,
) -> None:
    declaring(
        repository,
        "kind: cerbos, url: 'https://pdp.example/cerbos', timeout: 2s, secret: 'stored:pdp',"
        " options: {scope: '{tenant}'}",
    )
    repository.append("servers/crm.yaml", "engine: main\n")
    repository.edit("remit.yaml", "Europe/Berlin}", "Europe/Berlin, engine: main}")
    catalog = repository.catalog()
    assert catalog.engines["main"] == ExternalEngine(
        name="main",
        kind=EngineKind.CERBOS,
        url="https://pdp.example/cerbos",
        timeout_ms=2_000,
        secret="stored:pdp",
        options={"scope": "{tenant}"},
    )
    assert catalog.servers["crm"].engine == "main"
    assert catalog.tenants["globex"].engine == "main"
    assert catalog.tenants["acme"].engine is None


def test_what_is_left_out_is_short_and_shows_no_secret(repository: Repository) -> None:
    engine = declaring(repository, "kind: authzen, url: 'http://127.0.0.1:8080'").catalog()
    assert engine.engines["main"].timeout_ms == 250
    assert engine.engines["main"].secret is None


def test_a_plug_in_is_named_by_its_entry_point(repository: Repository) -> None:
    catalog = declaring(repository, "kind: plugin, plugin: theirs, options: {any: thing}").catalog()
    assert catalog.engines["main"].plugin == "theirs"
    assert catalog.engines["main"].url == ""


@pytest.mark.parametrize("timeout", ["10ms", "999ms", "5s", "5000ms"])
def test_a_time_out_within_its_bounds_is_admitted(repository: Repository, timeout: str) -> None:
    fields = f"kind: authzen, url: 'https://pdp.example', timeout: {timeout}"
    assert declaring(repository, fields).said() == []


@pytest.mark.parametrize(
    "url",
    [
        "https://pdp.example",
        "http://127.0.0.1:3592",
        "http://localhost:1",
        "https://10.0.0.7/x",
        "http://[::1]:9",
    ],
)
def test_an_address_of_one_s_own_is_admitted(repository: Repository, url: str) -> None:
    assert declaring(repository, f"kind: cerbos, url: '{url}'").said() == []


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ("kind: opa, url: 'https://a.example'", "`opa`"),
        ("url: 'https://a.example'", "kind"),
        ("kind: cerbos", "an engine without an address"),
        ("kind: authzen, url: 'http://pdp.example'", "in the clear"),
        ("kind: authzen, url: 'http://10.0.0.7'", "in the clear"),
        ("kind: authzen, url: 'https://u:p@a.example'", "user name or a password"),
        ("kind: authzen, url: 'https://a.example/?x=1'", "has a query"),
        ("kind: authzen, url: 'https://169.254.169.254'", "never asked"),
        ("kind: authzen, url: 'https://[fe80::1]'", "never asked"),
        ("kind: authzen, url: 'https://a.example', timeout: 9ms", "out of bounds"),
        ("kind: authzen, url: 'https://a.example', timeout: 6s", "out of bounds"),
        ("kind: authzen, url: 'https://a.example', timeout: 250", "no time-out"),
        ("kind: authzen, url: 'https://a.example', timeout: 1m", "no time-out"),
        ("kind: authzen, url: 'https://a.example', secret: hunter2", "a secret stands"),
        ("kind: authzen, url: 'https://a.example', secret: ", "left blank"),
        ("kind: plugin", "a plug-in without a name"),
        ("kind: plugin, plugin: '../x'", "no name of a plug-in"),
        ("kind: cerbos, url: 'https://a.example', plugin: x", "on what is none"),
        (
            "kind: cerbos, url: 'https://a.example', options: {colour: green}",
            "unknown option `colour`",
        ),
        ("kind: authzen, url: 'https://a.example', options: {batch: perhaps}", "`true` or `false`"),
        ("kind: authzen, url: 'https://a.example', options: {batch: true}", "text belongs"),
        ("kind: authzen, url: 'https://a.example', retries: 3", "retries"),
    ],
    ids=range(22),
)
def test_what_is_no_engine_is_refused_in_its_place(
    repository: Repository, fields: str, said: str
) -> None:
    problems = declaring(repository, fields).problems()
    assert len(problems) == 1, problems
    assert problems[0].line == 6
    assert said in problems[0].message
    assert "hunter2" not in f"{problems[0]}"
