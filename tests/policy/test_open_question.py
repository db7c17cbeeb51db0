import pytest
from cedarpy import PolicySet

from remit.policy.open_question import open_policies, reads_arguments, reads_whole_context


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
    assert reads_arguments(tree(condition))


@pytest.mark.parametrize(
    "condition", ["context.time.hour > 1", "context has ip", 'principal["arguments"]']
)
def test_anything_else_reads_no_arguments(condition):
    assert not reads_arguments(tree(condition))


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
    shown = str(
        open_policies([tree("context.time.hour > 1 && context.arguments.x == 1 && context has ip")])
    )
    assert 'Remit::Circumstances::"now".time' in shown.replace("(", "").replace(")", "").replace(
        '["time"]', ".time"
    )
    assert "context" in shown
    assert "context.time" not in shown
