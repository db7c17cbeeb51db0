"""A handle says, to us alone, which task of whom it stands for, and what its call is decided by again."""

from dataclasses import replace

import pytest

from remit.gateway.principal import Principal
from remit.gateway.rejection import UpstreamError
from remit.gateway.task_handle import TASK_LIFETIME, Task, TaskHandles, kept_arguments
from remit.model import Argument, ArgumentType, Operation, Sensitivity, Tool
from remit.testing import FixedClock
from tests.gateway.doubles import token_of

DANA = Principal.of(token_of("dana"))
TASK = Task(
    id="t-1", server="crm", tool="find", principal=DANA, decision_id="dec_1", arguments={"a": 1}
)


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def handles(clock):
    return TaskHandles(b"k" * 32, clock)


def test_its_owner_finds_the_task_again(handles):
    handle = handles.issue(TASK)
    assert handles.find(handle, "crm", DANA) == TASK
    assert "t-1" not in handle
    assert len(handle) < 1024, "it fits a header beside others"


def test_why_the_call_was_made_goes_with_it(handles):
    told = replace(TASK, justification="ü" * 500)
    handle = handles.issue(told)
    assert handles.find(handle, "crm", DANA) == told
    assert "ü" not in handle


def test_nobody_else_does(handles):
    handle = handles.issue(TASK)
    for other in (token_of("eve"), token_of("dana", grant="g2")):
        assert handles.find(handle, "crm", Principal.of(other)) is None
    assert handles.find(handle, "pay", DANA) is None


@pytest.mark.parametrize("handle", [None, 7, "", "t-1", "r1.", ["r1."]], ids=str)
def test_what_is_no_handle_stands_for_nothing(handles, handle):
    assert handles.find(handle, "crm", DANA) is None


def test_it_ends_with_its_time(handles, clock):
    handle = handles.issue(TASK)
    clock.advance(TASK_LIFETIME - 1)
    assert handles.find(handle, "crm", DANA)
    clock.advance(1)
    assert handles.find(handle, "crm", DANA) is None


def test_what_cannot_be_kept_is_not_given_out(handles):
    large = Task(
        id="t", server="crm", tool="find", principal=DANA, decision_id="d",
        arguments={"a": "x" * 5000},
    )  # fmt: skip
    with pytest.raises(UpstreamError):
        handles.issue(large)


def tool(*pointers, currency=None):
    arguments = tuple(
        Argument(name=f"a{n}", type=ArgumentType.STRING, pointer=pointer, currency_pointer=currency)
        for n, pointer in enumerate(pointers)
    )
    return Tool(
        name="find", operation=Operation.READ, scopes=(), sensitivity=Sensitivity.LOW,
        arguments=arguments,
    )  # fmt: skip


def test_of_the_arguments_those_are_kept_that_policies_read():
    given = {
        "a": 1, "b": {"c": 2, "d": 3, "e/f~g": 4}, "l": [{"x": 1}, {"x": 2}], "text": "long" * 100,
    }  # fmt: skip
    kept = kept_arguments(tool("/a", "/b/c", "/b/e~1f~0g", "/l/0/x", "/gone"), given)
    assert kept == {"a": 1, "b": {"c": 2, "e/f~g": 4}, "l": [{"x": 1}, {"x": 2}]}
    assert kept_arguments(tool("/a", currency="/b/d"), given) == {"a": 1, "b": {"d": 3}}
    assert kept_arguments(tool(), given) == {}
    assert kept_arguments(tool("/a"), None) is None
    assert kept_arguments(None, given) is None
