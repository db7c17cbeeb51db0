import pytest
from cedarpy import PolicySet

from remit.policy.open_question import open_attributes, open_policies, reads_whole_context


def tree(condition):
    text = f'@id("one") permit(principal, action, resource) when {{ {condition} }};'
    (parsed,) = PolicySet.from_str(text).to_pst().static_policies.values()
    return parsed


@pytest.mark.parametrize(
    "condition",
    [
        "context.arguments.x == 1",
        "context has arguments",
        "context has arguments.x",
        'context["arguments"].x == 1',
        "principal.a || (if true then [context.arguments.x] == [1] else false)",
        "{a: context.arguments} == {a: {}}",
    ],
)
def test_arguments_are_seen_wherever_they_are_read(condition):
    assert open_attributes(tree(condition)) == {"arguments"}


@pytest.mark.parametrize(
    "condition", ["context.time.hour > 1", "context has ip", 'principal["arguments"]']
)
def test_anything_else_reads_no_arguments(condition):
    assert not open_attributes(tree(condition))


@pytest.mark.parametrize(
    "condition", ["context == {}", "[context].contains(context)", "{a: context}.a == {}"]
)
def test_context_taken_as_a_whole_is_seen(condition):
    assert reads_whole_context(tree(condition))


@pytest.mark.parametrize(
    "condition", ["context.a.b == 1", "context has a.b", "context.a == context.b"]
)
def test_context_read_by_attribute_is_not_taken_as_a_whole(condition):
    assert not reads_whole_context(tree(condition))


def test_what_is_known_is_read_from_the_circumstances_and_arguments_stay():
    condition = "context.time.hour > 1 && context.arguments.x == 1 && context has ip"
    shown = str(open_policies([tree(condition)], {"arguments"}))
    assert 'Remit::Circumstances::"now".time' in shown.replace("(", "").replace(")", "").replace(
        '["time"]', ".time"
    )
    assert "context" in shown
    assert "context.time" not in shown


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("context has justification", {"justification"}),
        ('context has told && context.told.ticket like "CHG-*"', {"told"}),
        ("context.history.calls > 3", {"history"}),
        ("context.history.calls > 3 || context has arguments.x", {"arguments", "history"}),
    ],
)
def test_all_that_only_a_call_brings_is_seen(condition, names):
    assert open_attributes(tree(condition)) == names


def test_a_justification_may_be_there_and_may_not():
    """Cedar would say at once that a record has an attribute, or has it not."""
    shown = str(open_policies([tree("context has justification")], {"justification"}))
    assert "saying" in shown
    known = str(open_policies([tree("context has justification")], set()))
    assert "saying" not in known
    assert 'Circumstances::"now"' in known
