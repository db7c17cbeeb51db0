import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.documents import Document, is_removal, lay_over, lay_over_nothing, parse_yaml

BELOW = """\
title: CRM
limits: {calls_per_minute: 10, concurrent_calls: 2}
tools:
  get: {scopes: [a, b]}
"""


def document(text: str, file: str = "base.yaml") -> Document:
    return parse_yaml(text.encode(), file=file)


def laid(above: str, below: str = BELOW) -> Document:
    return lay_over(document(below), document(above, "over.yaml"))


def test_mappings_merge_and_everything_else_replaces() -> None:
    merged = laid("limits: {concurrent_calls: 9}\ntools: {get: {scopes: [c]}}\n")
    assert merged.value == {
        "title": "CRM",
        "limits": {"calls_per_minute": 10, "concurrent_calls": 9},
        "tools": {"get": {"scopes": ["c"]}},
    }


def test_null_takes_away_what_stands_below_it() -> None:
    assert laid("limits: null\ntools: {get: ~}\n").value == {"title": "CRM", "tools": {}}


def test_null_for_what_is_not_there_changes_nothing() -> None:
    assert laid("nothing: null\n").value == document(BELOW).value


def test_null_in_a_list_is_a_value() -> None:
    assert laid("tools: [null, {a: null}]\n").value == {
        **document(BELOW).value,
        "tools": [None, {"a": None}],
    }


def test_every_part_names_the_file_and_line_it_stands_in() -> None:
    merged = laid("# why\ntools: {get: {scopes: [c]}}\nnew: {deep: 1}\n")

    def place(*path: str | int) -> tuple[str, int, str]:
        problem = merged.problem(path, "wrong")
        return problem.file, problem.line, problem.excerpt

    assert place("title") == ("base.yaml", 1, "title: CRM")
    assert place("tools", "get", "scopes", 0) == (
        "over.yaml",
        2,
        "tools: {get: {scopes: [c]}}",
    )
    assert place("new", "deep") == ("over.yaml", 3, "new: {deep: 1}")
    assert place("tools", "get", "absent")[:2] == ("base.yaml", 4)
    assert place("limits", "calls_per_minute")[:2] == ("base.yaml", 2)


def test_a_file_over_nothing_is_the_file_without_what_it_takes_away() -> None:
    merged = lay_over_nothing(document("a: {b: null, c: 1}\n", "over.yaml"), file="new.yaml")
    assert (merged.file, merged.value) == ("new.yaml", {"a": {"c": 1}})
    assert merged.problem(("x",), "missing").file == "over.yaml"


@pytest.mark.parametrize("text", ["", "# nothing\n", "---\n"])
def test_an_empty_file_changes_nothing_and_takes_nothing_away(text: str) -> None:
    assert laid(text) == document(BELOW)
    assert not is_removal(document(text))


@pytest.mark.parametrize("text", ["null\n", "# gone\n~\n", "NULL", "--- null\n"])
def test_a_written_null_takes_the_whole_file_away(text: str) -> None:
    assert is_removal(document(text))


@pytest.mark.parametrize("text", ["a: null\n", "'null'\n", "[]\n", "{}\n", "nullify\n"])
def test_what_is_no_null_takes_no_file_away(text: str) -> None:
    assert not is_removal(document(text))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["", "x", "null", "~"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=12,
)
_MAPPINGS = st.dictionaries(st.sampled_from("abcd"), _VALUES, max_size=4)


def patched(target: object, patch: object) -> object:
    """RFC 7396 §2, word for word."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


@given(_MAPPINGS, _MAPPINGS)
def test_it_is_the_merge_patch_of_the_standard(target: object, patch: object) -> None:
    below, above = json.dumps(target), json.dumps(patch)
    assert laid(above, below).value == patched(target, patch)


@given(_MAPPINGS, _MAPPINGS)
def test_every_node_of_the_result_has_its_own_value(target: object, patch: object) -> None:
    merged = laid(json.dumps(patch), json.dumps(target))

    def built(node: object) -> object:
        if isinstance(node.value, dict):
            return {name: built(child) for name, child in node.children.items()}
        if isinstance(node.value, list):
            return [built(child) for child in node.children.values()]
        return node.value

    assert built(merged.root) == merged.root.value
