import pytest
from pydantic import ValidationError

from remit.model import DeploymentRules, SecondPerson
from remit.repository import RepositoryInvalidError
from remit.repository.deployment_section import DeploymentSection, deployment_of

from .conftest import Repository

KEY = "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_rules_are_read_from_the_root(repository: Repository) -> None:
    repository.append(
        "remit.yaml",
        "stages: [dev, prod]\n"
        "deployment: {second_person: always, tests_required: false, replay_days: 30, trial_share: 10,"
        " trial_lifetime: 1h, trial_refusals: 3, from_stages: [dev], newly_allowed_reviewed: false,"
        f" replaced_may_come: true, stage_keys: {{dev: [{KEY}]}}}}\n",
    )
    rules = repository.catalog().deployment
    assert rules == DeploymentRules(
        second_person=SecondPerson.ALWAYS,
        tests_required=False,
        replay_days=30,
        newly_allowed_reviewed=False,
        trial_share=10,
        trial_lifetime=3_600,
        trial_refusals=3,
        from_stages=("dev",),
        replaced_may_come=True,
        stage_keys={"dev": (KEY,)},
    )


def test_what_is_left_out_is_as_careful_as_the_model(repository: Repository) -> None:
    assert repository.catalog().deployment == DeploymentRules()
    assert deployment_of(DeploymentSection()) == DeploymentRules()


@pytest.mark.parametrize(
    "given",
    [
        {"second_person": "sometimes"},
        {"tests_required": "yes"},
        {"replay_days": -1},
        {"replay_days": 367},
        {"trial_share": 101},
        {"trial_share": "10%"},
        {"trial_lifetime": "59s"},
        {"trial_lifetime": "8d"},
        {"trial_refusals": 101},
        {"stage_keys": {"dev": []}},
        {"stage_keys": {"dev": ["release"]}},
        {"stage_keys": {"dev": [f"{'A' * 42}="]}},
        {"replaced_may_come": "yes"},
        {"nobody": True},
    ],
    ids=str,
)
def test_what_is_no_rule_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        DeploymentSection.model_validate(given)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("stages: [dev]\ndeployment: {from_stages: [prod]}\n", "names `prod`, which is no stage"),
        ("deployment: {from_stages: [dev]}\n", "names `dev`, which is no stage"),
        (f"deployment: {{stage_keys: {{dev: [{KEY}]}}}}\n", "names `dev`, which is no stage"),
        ("deployment: {privileged_scopes: ['crm:read:nothing']}\n", "crm:read:nothing"),
    ],
    ids=["another stage", "no stages", "a key of no stage", "a scope that is not declared"],
)
def test_names_have_to_exist(repository: Repository, text: str, said: str) -> None:
    repository.append("remit.yaml", text)
    with pytest.raises(RepositoryInvalidError) as refused:
        repository.catalog()
    assert any(said in str(one) for one in refused.value.problems), refused.value.problems
