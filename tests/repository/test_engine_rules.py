"""What servers, tenants and guards may not say of engines."""

import pytest

from .conftest import Repository

ENGINES = """\
engines:
  open: {kind: cerbos, url: 'https://pdp.example'}
  secret: {kind: authzen, url: 'https://pdp.example', secret: 'stored:pdp'}
  theirs: {kind: plugin, plugin: theirs}
"""
GUARD = "guard_secret: env:CRM_GUARD\n"


@pytest.fixture
def engines(repository: Repository) -> Repository:
    return repository.append("remit.yaml", ENGINES)


@pytest.mark.parametrize("engine", ["opn", "cedar", "none"])
def test_an_engine_that_nobody_declares_is_unknown(engines: Repository, engine: str) -> None:
    engines.append("servers/crm.yaml", f"engine: {engine}\n")
    engines.edit("remit.yaml", "Europe/Berlin}", f"Europe/Berlin, engine: {engine}}}")
    said = engines.said()
    assert len(said) == 2
    assert all(f"unknown engine `{engine}`" in one for one in said)


def test_without_any_engines_every_engine_is_unknown(repository: Repository) -> None:
    repository.append("servers/crm.yaml", "engine: main\n")
    assert repository.said() == ["servers/crm.yaml:11 unknown engine `main`"]


@pytest.mark.parametrize("name", ["cedar", "declaration", "decision-point", "history"])
def test_no_engine_goes_by_the_name_of_ours(repository: Repository, name: str) -> None:
    repository.append("remit.yaml", f"engines: {{{name}: {{kind: plugin, plugin: x}}}}\n")
    [problem] = repository.problems()
    assert f"the name `{name}` is taken" in problem.message


def test_a_guard_may_ask_an_engine_that_wants_no_secret(engines: Repository) -> None:
    assert engines.append("servers/crm.yaml", f"{GUARD}engine: open\n").said() == []


@pytest.mark.parametrize(
    ("engine", "why"), [("secret", "its secret stays with Remit"), ("theirs", "it is a plug-in")]
)
def test_a_guard_that_could_not_ask_is_refused(engines: Repository, engine: str, why: str) -> None:
    engines.append("servers/crm.yaml", f"{GUARD}engine: {engine}\n")
    [problem] = engines.problems()
    assert (problem.file, problem.line) == ("servers/crm.yaml", 12)
    assert why in problem.message


def test_the_engine_of_a_tenant_counts_for_a_shared_server(engines: Repository) -> None:
    engines.append("servers/crm.yaml", GUARD)
    engines.edit("remit.yaml", "Europe/Berlin}", "Europe/Berlin, engine: secret}")
    [problem] = engines.problems()
    assert (problem.file, problem.line) == ("servers/crm.yaml", 11)
    assert "its secret stays with Remit" in problem.message


def test_the_engine_of_a_tenant_does_not_count_for_a_server_of_another(engines: Repository) -> None:
    engines.append("servers/crm.yaml", GUARD)
    engines.edit("servers/crm.yaml", "shared: true", "tenant: acme")
    engines.edit("remit.yaml", "Europe/Berlin}", "Europe/Berlin, engine: secret}")
    assert engines.said() == []


def test_the_server_s_own_engine_counts_before_the_tenant_s(engines: Repository) -> None:
    engines.append("servers/crm.yaml", f"{GUARD}engine: open\n")
    engines.edit("remit.yaml", "Europe/Berlin}", "Europe/Berlin, engine: secret}")
    assert engines.said() == []


def test_without_a_guard_any_engine_may_permit(engines: Repository) -> None:
    assert engines.append("servers/crm.yaml", "engine: secret\n").said() == []
