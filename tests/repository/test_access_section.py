import pytest

from .conftest import Repository

ACCESS = "access:\n  one: {%s}\n"
EMERGENCY = "emergency:\n  one: {%s}\n"


@pytest.mark.parametrize(
    "written",
    [
        ACCESS % "role: support, people_roles: [support]",
        ACCESS % "scopes: [crm:accounts.read], agents: [helper]",
        ACCESS % "role: support, agents: [helper], longest: 366d",
        EMERGENCY % "people: [erin], role: support, reviewer: support",
        EMERGENCY % "people: [erin], scopes: [crm:accounts.read], reviewer: support, longest: 1d",
    ],
)
def test_what_somebody_can_ask_for_is_admitted(repository: Repository, written: str) -> None:
    assert repository.write("approvals.yaml", written).said() == []


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("people_roles: [support]", "not said once"),
        (
            "role: support, scopes: [crm:accounts.read], people_roles: [support]",
            "not said once",
        ),
        ("role: support", "nobody may ask for it"),
        ("role: support, people_roles: []", "nobody may ask for it"),
        ("role: support, people_roles: [support], longest: 30s", "out of bounds"),
        ("role: support, people_roles: [support], longest: 367d", "out of bounds"),
        ("role: support, people_roles: [support], justification: []", "out of bounds"),
        ("role: support, people_roles: [support], justification: [Why]", "no name of what is told"),
        ("role: support, people_roles: [support], acr: mfa", "no strength"),
    ],
)
def test_an_offer_of_nothing_or_to_nobody_is_refused(
    repository: Repository, written: str, words: str
) -> None:
    said = repository.write("approvals.yaml", ACCESS % written).said()

    assert [words in one for one in said] == [True], said


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("people: [erin], role: support", "reviewer"),
        ("people: [], role: support, reviewer: support", "out of bounds"),
        ("people: [erin], reviewer: support", "not said once"),
        (
            "people: [erin], role: support, scopes: [crm:accounts.read], reviewer: support",
            "not said once",
        ),
        ("people: [erin], role: support, reviewer: support, longest: 2d", "out of bounds"),
        ("people: [erin], role: support, reviewer: support, review_within: 5m", "out of bounds"),
        ("people: [erin], role: support, reviewer: support, justification: []", "out of bounds"),
        ("people: [erin], role: support, reviewer: support, fresh: 2h", "out of bounds"),
        (
            "people: [erin], role: support, reviewer: support, acr: 'urn:remit:acr:pwd'",
            "a password alone",
        ),
    ],
)
def test_emergency_access_that_nobody_answers_for_is_refused(
    repository: Repository, written: str, words: str
) -> None:
    said = repository.write("approvals.yaml", EMERGENCY % written).said()

    assert [words in one for one in said] == [True], said
