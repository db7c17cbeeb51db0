import pytest

from remit.model import AgentClass, RegistrationMode, Sensitivity
from remit.repository.catalog import UNREGISTERED

from .conftest import Repository


def test_what_is_left_out_has_its_default(repository: Repository) -> None:
    catalog = repository.catalog()
    assert catalog.issuer.access_token_lifetime == 600
    assert catalog.issuer.session_lifetime == 43_200
    assert catalog.guardrails.max_scopes_per_agent == 20
    assert catalog.registration.mode is RegistrationMode.OPEN


def test_an_unregistered_agent_that_is_not_described_may_do_nothing(repository: Repository) -> None:
    agent = repository.catalog().unregistered
    assert (agent.id, agent.agent_class) == (UNREGISTERED, AgentClass.UNREGISTERED)
    assert (agent.scopes, agent.tenants, agent.environments) == ((), (), ())
    assert agent.max_sensitivity is Sensitivity.LOW


def test_what_is_written_is_what_holds(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        "issuer: {name: X, access_token_lifetime: 5m, refresh_token_idle: 2d, grant_lifetime: 3d, code_lifetime: 30s,"
        " session_idle: 10m, session_lifetime: 1h, signing_key_lifetime: 30d, default_scopes: ['crm:accounts.read']}\n"
        "guardrails: {max_scopes_per_agent: 3, max_scopes_per_token: 2, max_delegation_depth: 1, forbidden_scopes: ['crm:accounts.write']}\n"
        "registration: {mode: 'off', metadata_documents: false, document_hosts: [claude.ai], redirect_uri_schemes: [cursor]}\n"
        "unregistered: {scopes: ['crm:accounts.read'], tenants: [acme], environments: [dev]}\n",
    )
    catalog = repository.catalog()
    issuer = catalog.issuer
    assert (issuer.access_token_lifetime, issuer.refresh_token_idle, issuer.grant_lifetime) == (
        300,
        172_800,
        259_200,
    )
    assert (issuer.code_lifetime, issuer.session_idle, issuer.session_lifetime) == (30, 600, 3_600)
    assert issuer.signing_key_lifetime == 30 * 86_400
    assert catalog.guardrails.max_delegation_depth == 1
    assert issuer.default_scopes == ("crm:accounts.read",)
    assert (catalog.guardrails.max_scopes_per_token, catalog.guardrails.forbidden_scopes) == (
        2,
        ("crm:accounts.write",),
    )
    assert (
        catalog.registration.mode,
        [one.host for one in catalog.registration.document_hosts],
    ) == (
        RegistrationMode.OFF,
        ["claude.ai"],
    )
    assert catalog.registration.redirect_uri_schemes == ("cursor",)
    assert catalog.unregistered.tenants == ("acme",)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("issuer: {access_token_lifetime: 2h}\n", "the length of time is out of bounds"),
        ("issuer: {access_token_lifetime: 600}\n", "`600` is not a length of time"),
        ("issuer: {code_lifetime: 11m}\n", "the length of time is out of bounds"),
        (
            "issuer: {session_idle: 2h, session_lifetime: 1h}\n",
            "`session_idle` is longer than `session_lifetime`",
        ),
        (
            "issuer: {refresh_token_idle: 2d, grant_lifetime: 1d}\n",
            "`refresh_token_idle` is longer than `grant_lifetime`",
        ),
        ("guardrails: {max_scopes_per_agent: 0}\n", "`0` is out of bounds"),
        ("guardrails: {max_scopes_per_agent: '5'}\n", "`5` where a whole number belongs"),
        ("guardrails: {max_delegation_depth: 11}\n", "`11` is out of bounds"),
        ("issuer: {signing_key_lifetime: 1h}\n", "the length of time is out of bounds"),
        ("issuer: {signing_key_lifetime: 0d}\n", "`0d` is not a length of time"),
        ("issuer: {signing_key_lifetime: 0}\n", "`0` is not a length of time"),
        ("unregistered: {class: assistant}\n", "unknown key `class`"),
        ("tenant: {}\n", "unknown key `tenant`; did you mean `tenants`?"),
    ],
)
def test_what_cannot_hold_is_refused_at_its_line(
    repository: Repository, text: str, says: str
) -> None:
    repository.append("remit.yaml", text)
    assert repository.said() == [f"remit.yaml:6 {says}"]


def test_signing_keys_may_live_until_an_administrator_says_otherwise(
    repository: Repository,
) -> None:
    repository.append("remit.yaml", "issuer: {signing_key_lifetime: 0s}\n")
    assert repository.catalog().issuer.signing_key_lifetime == 0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("version: 1", "version: 2", "remit.yaml:1 `2` is not known here"),
        ("version: 1\n", "", "remit.yaml:1 `version` is missing"),
        ("America/New_York", "America/Gotham", "remit.yaml:3 `America/Gotham` is no time zone"),
        ("acme:", "Acme:", "remit.yaml:3 `Acme` is no name"),
        ("[dev, prod]", "[prod, prod]", "remit.yaml:5 `prod` stands in this list twice"),
        ("[dev, prod]", "prod", "remit.yaml:5 `prod` where a list belongs"),
    ],
)
def test_a_wrong_declaration_is_refused(
    repository: Repository, old: str, new: str, says: str
) -> None:
    repository.edit("remit.yaml", old, new)
    assert says in repository.said()
