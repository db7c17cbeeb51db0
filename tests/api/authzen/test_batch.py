"""Several questions in one request: shared values, and when to stop."""

import pytest

from remit.api.authzen.batch import MAX_EVALUATIONS, Semantic, batch_of
from remit.api.authzen.question import BadQuestionError


def test_what_an_evaluation_says_itself_replaces_the_shared_value_whole():
    batch = batch_of(
        {
            "subject": {"type": "user", "id": "a", "properties": {"x": 1}},
            "context": {"ip": "::1"},
            "evaluations": [{"subject": {"type": "user", "id": "b"}}, {}],
            "options": {},
        }
    )
    assert batch.semantic is Semantic.EXECUTE_ALL
    assert batch.documents == (
        {"subject": {"type": "user", "id": "b"}, "context": {"ip": "::1"}},
        {"subject": {"type": "user", "id": "a", "properties": {"x": 1}}, "context": {"ip": "::1"}},
    )


def test_options_and_evaluations_are_no_shared_values():
    (one,) = batch_of({"evaluations": [{}], "options": {"a": 1}, "unknown": 1}).documents
    assert one == {}


@pytest.mark.parametrize("document", [{}, {"evaluations": []}, {"evaluations": None}])
def test_without_a_list_it_is_one_question(document):
    assert batch_of(document) is None


@pytest.mark.parametrize(
    "document",
    [
        {"evaluations": {}},
        {"evaluations": "x"},
        {"evaluations": [1]},
        {"evaluations": [{}] * (MAX_EVALUATIONS + 1)},
        {"evaluations": [{}], "options": []},
        {"evaluations": [{}], "options": {"evaluations_semantic": "first"}},
        {"evaluations": [{}], "options": {"evaluations_semantic": 1}},
    ],
    ids=["object", "text", "number", "many", "options", "semantic", "number-for-semantic"],
)
def test_what_cannot_be_read_is_refused(document):
    with pytest.raises(BadQuestionError):
        batch_of(document)


def test_each_semantic_ends_where_the_standard_says():
    ends = {
        (one, decision): one.ends_with(decision=decision)
        for one in Semantic
        for decision in (True, False)
    }
    assert [key for key, ended in ends.items() if ended] == [
        (Semantic.DENY_ON_FIRST_DENY, False),
        (Semantic.PERMIT_ON_FIRST_PERMIT, True),
    ]
