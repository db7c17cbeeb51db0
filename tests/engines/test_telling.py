"""What is taken over of what an engine tells beside yes and no."""

import pytest

from remit.api.explanation.reason import engine_elsewhere, sentence_of
from remit.engines.telling import obligations_in, rules_of, text_in
from remit.model import RESERVED_ENGINES
from remit.policy.port import EngineUnavailableError


@pytest.mark.parametrize(
    "value", ["", "x" * 257, "two\nlines", "\x1b[31m", None, 3, ["x"], {"x": "y"}], ids=range(8)
)
def test_what_is_no_short_line_of_text_is_left_out(value):
    assert text_in(value) is None


def test_a_short_line_of_text_is_taken():
    assert text_in("Ask a person.") == "Ask a person."


def test_words_belong_to_refusals_and_names_are_told_once():
    assert [one.message for one in rules_of(["a", "a"], allowed=True, message="no")] == [None]
    assert [one.message for one in rules_of(["a"], allowed=False, message="no")] == ["no"]
    assert rules_of([], allowed=False, message=None) == ()
    assert rules_of([], allowed=True, message="no") == ()
    assert len(rules_of(map(str, range(40)), allowed=False, message=None)) == 16


@pytest.mark.parametrize(
    "value",
    [
        "step_up", {}, [1], [{}], [{"kind": "step_up"}], [{"kind": "x", "value": "y"}],
        [{"kind": "step_up", "value": ""}], [{"kind": "step_up", "value": "x", "more": 1}],
        [{"kind": "step_up", "value": "x"}] * 17,
    ],
    ids=range(9),
)  # fmt: skip
def test_an_obligation_that_is_not_understood_is_no_answer(value):
    with pytest.raises(EngineUnavailableError):
        obligations_in(value, rule="r")


def test_no_obligations_are_none():
    assert obligations_in(None, rule="r") == ()
    assert obligations_in([], rule="r") == ()


@pytest.mark.parametrize("reason", ["permitted", "forbidden", "engine_error"])
def test_an_explanation_names_the_engine_that_decided(reason):
    body = {"engine": "pdp@7", "reason": reason, "outcome": "deny", "rules": []}
    assert "`pdp@7`" in sentence_of(body)


@pytest.mark.parametrize("engine", [None, *sorted(RESERVED_ENGINES)])
def test_an_engine_in_this_process_is_none_elsewhere(engine):
    body = {"engine": engine, "reason": "forbidden", "outcome": "deny", "rules": []}
    assert engine_elsewhere(body) is None
    assert sentence_of(body) == "no policy permits it"
