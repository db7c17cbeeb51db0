import pytest
from pydantic import BaseModel, ValidationError

from remit.model import NO_LIMITS, CallLimits
from remit.repository.limits_section import LimitsSection, OptionalSize, limits_of

from .conftest import Repository


class _Sized(BaseModel):
    size: OptionalSize = None


def test_limits_are_read_from_agents_servers_and_the_root(repository: Repository) -> None:
    limits = "{calls_per_minute: 60, concurrent_calls: 5}"
    repository.append("agents/helper.yaml", f"limits: {limits}\n")
    repository.append(
        "servers/crm.yaml",
        "limits: {calls_per_minute: 600}\nmax_request: 256KiB\nmax_response: 4MiB\n",
    )
    repository.append(
        "remit.yaml",
        "guardrails: {limits_per_agent: {calls_per_minute: 120}, limits_per_user: {concurrent_calls: 3}}\n"
        "unregistered: {limits: {calls_per_minute: 7}}\n",
    )
    catalog = repository.catalog()
    assert catalog.agents["helper"].limits == CallLimits(calls_per_minute=60, concurrent_calls=5)
    server = catalog.servers["crm"]
    assert server.limits == CallLimits(calls_per_minute=600)
    assert (server.max_request_bytes, server.max_response_bytes) == (256 * 1024, 4 * 1024 * 1024)
    assert catalog.guardrails.limits_per_agent == CallLimits(calls_per_minute=120)
    assert catalog.guardrails.limits_per_user == CallLimits(concurrent_calls=3)
    assert catalog.unregistered.limits == CallLimits(calls_per_minute=7)


def test_what_is_left_out_is_not_limited_but_for_agents_that_nobody_answers_for(
    repository: Repository,
) -> None:
    catalog = repository.catalog()
    assert catalog.agents["helper"].limits is NO_LIMITS
    assert catalog.servers["crm"].limits is NO_LIMITS
    assert catalog.servers["crm"].max_request_bytes is None
    assert catalog.guardrails.limits_per_agent is NO_LIMITS
    assert catalog.guardrails.limits_per_user is NO_LIMITS
    assert catalog.unregistered.limits == CallLimits(calls_per_minute=60, concurrent_calls=5)


def test_an_empty_section_limits_nothing() -> None:
    assert limits_of(LimitsSection.model_validate({})) is NO_LIMITS


@pytest.mark.parametrize("given", [0, -1, 1_000_001, 1.5, True, "60", None, []])
@pytest.mark.parametrize("key", ["calls_per_minute", "concurrent_calls"])
def test_a_number_that_is_no_limit_is_refused(key: str, given: object) -> None:
    with pytest.raises(ValidationError, match="is no limit"):
        LimitsSection.model_validate({key: given})


@pytest.mark.parametrize(
    ("given", "size"),
    [(1024, 1024), ("1KiB", 1024), ("4MiB", 4 * 1024 * 1024), ("64MiB", 64 * 1024 * 1024)],
)
def test_a_size_is_bytes(given: object, size: int) -> None:
    assert _Sized.model_validate({"size": given}).size == size


@pytest.mark.parametrize(
    "given", ["4MB", "4 MiB", "4mib", "0KiB", "1.5MiB", "", "4", True, 1.5, None, "4GiB"]
)
def test_a_size_without_its_unit_or_of_another_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="is no size"):
        _Sized.model_validate({"size": given})


@pytest.mark.parametrize("given", [1, 1023, "65MiB", 64 * 1024 * 1024 + 1])
def test_a_size_out_of_bounds_is_refused(given: object) -> None:
    with pytest.raises(ValidationError, match="out of bounds"):
        _Sized.model_validate({"size": given})


def test_a_mistake_is_told_with_its_place(repository: Repository) -> None:
    repository.append("agents/helper.yaml", "limits:\n  calls_per_minute: '60'\n")
    (problem,) = repository.problems()
    assert (problem.file, problem.line) == ("agents/helper.yaml", 8)
    assert "a whole number from 1 to 1,000,000" in problem.expected
