import pytest

from .conftest import Repository

RULES = "registration:\n  rules:\n"
LOCAL = "    - {name: local, redirect_uris: ['http://127.0.0.1:*/cb', 'http://localhost/cb']}\n"


def test_rules_that_differ_are_admitted(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        RULES
        + "    - {name: local, redirect_uris: ['http://localhost/cb']}\n"
        + "    - {name: wider, redirect_uris: ['http://localhost/cb', 'https://a.example/cb']}\n"
        + "    - {name: banned, redirect_uris: ['https://b.example/cb'], admission: refuse}\n",
    )
    assert repository.said() == []


@pytest.mark.parametrize(
    "rule",
    [
        "{name: again, redirect_uris: ['http://localhost/cb']}",
        "{name: again, redirect_uris: ['http://localhost/cb'], auth_methods: [none], admission: refuse}",
        "{name: again, redirect_uris: ['http://localhost/cb'], grant_types: [authorization_code]}",
        "{name: again, redirect_uris: ['http://localhost/cb'], grant_types: [authorization_code, token_exchange]}",
    ],
)
def test_a_rule_that_an_earlier_one_leaves_nothing_to_is_refused(
    repository: Repository, rule: str
) -> None:
    repository.append("remit.yaml", f"{RULES}{LOCAL}    - {rule}\n")
    assert repository.said() == ["remit.yaml:9 the rule `local` leaves nothing to this one"]


def test_a_pattern_that_admits_strangers_is_refused_where_it_stands(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        RULES + "    - name: all\n      redirect_uris:\n        - 'https://*.com/cb'\n",
    )
    [problem] = repository.problems()
    assert (problem.line, problem.column, problem.message) == (
        10,
        11,
        "`https://*.com/cb` is no pattern of redirect URIs",
    )
    assert problem.expected.startswith("a wildcard beneath a domain that one owner has")


def test_a_scheme_is_admitted_by_its_name(repository: Repository) -> None:
    repository.append("remit.yaml", RULES + "    - {name: app, redirect_uris: ['cursor://x/*']}\n")
    assert repository.said() == ["remit.yaml:8 `cursor://x/*` is no pattern of redirect URIs"]
    repository.append("remit.yaml", "  redirect_uri_schemes: [cursor]\n")
    assert repository.said() == []


def test_a_rule_has_a_name_of_its_own(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        RULES + LOCAL + "    - {name: local, redirect_uris: ['https://a.example/cb']}\n",
    )
    assert repository.said() == ["remit.yaml:9 the rule `local` stands here twice"]


def test_a_host_has_one_set_of_terms(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        "registration:\n  document_hosts:\n    - claude.ai\n    - {host: claude.ai, admission: approve}\n",
    )
    assert repository.said() == ["remit.yaml:9 the host `claude.ai` stands here twice"]


def test_a_rule_grants_nothing_that_is_forbidden(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        "guardrails: {forbidden_scopes: ['crm:accounts.write']}\n"
        + RULES
        + "    - {name: local, redirect_uris: ['http://localhost/cb'], scopes: ['crm:accounts.write']}\n",
    )
    assert repository.said() == ["remit.yaml:9 no agent may hold the scope `crm:accounts.write`"]
