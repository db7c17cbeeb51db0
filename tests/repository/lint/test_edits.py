"""Edits of the text: what is meant changes, and not a character besides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.documents import parse_yaml
from remit.repository.lint.edits import apply_edit
from remit.repository.lint.noticed import Action, Edit

TEXT = """\
# what this file is about

a: # first
  covers: [x, y, z] # why
  title: |
    several
    lines

# about b,
# in two lines
b:
  covers:
    # about x
    - x
    - y # about y

    - z
c: {covers: [x], title: C}
"""


def item(path, value):
    return Edit(file="f", action=Action.REMOVE_ITEM, path=path, value=value)


def entry(*path):
    return Edit(file="f", action=Action.REMOVE_ENTRY, path=path)


def sort(*path):
    return Edit(file="f", action=Action.SORT, path=path)


def test_one_of_a_list_on_a_line_goes_with_its_comma():
    assert "covers: [y, z] # why" in apply_edit(TEXT, item(("a", "covers"), "x"))
    assert "covers: [x, z] # why" in apply_edit(TEXT, item(("a", "covers"), "y"))
    assert "covers: [x, y] # why" in apply_edit(TEXT, item(("a", "covers"), "z"))


def test_one_of_a_list_of_lines_goes_with_its_line_and_leaves_other_comments():
    assert apply_edit(TEXT, item(("b", "covers"), "x")) == TEXT.replace("    - x\n", "")
    assert apply_edit(TEXT, item(("b", "covers"), "y")) == TEXT.replace("    - y # about y\n", "")


def test_the_last_of_a_list_goes_with_its_key():
    assert apply_edit(TEXT, item(("c", "covers"), "x")).endswith("\nc: {title: C}\n")
    lines = "a:\n  covers: [x]\n  title: A\n"
    assert apply_edit(lines, item(("a", "covers"), "x")) == "a:\n  title: A\n"
    assert apply_edit("a:\n  t: A\n  covers:\n    - x\n", item(("a", "covers"), "x")) == (
        "a:\n  t: A\n"
    )


def test_a_key_goes_with_its_value_and_the_comment_over_it():
    cut = apply_edit(TEXT, entry("b"))
    assert cut == TEXT[: TEXT.index("# about b")] + TEXT[TEXT.index("c: {") :]
    assert apply_edit(TEXT, entry("c")) == TEXT[: TEXT.index("c: {")]
    assert apply_edit(TEXT, entry("a", "title")) == TEXT.replace(
        "  title: |\n    several\n    lines\n", ""
    )


def test_what_begins_the_file_stays_when_the_first_key_goes():
    assert apply_edit(TEXT, entry("a")).startswith("# what this file is about\n\n# about b,\n")
    head = "# yaml-language-server: $schema=x\n# about a\na: 1\nb: 2\n"
    assert apply_edit(head, entry("a")) in {
        "# yaml-language-server: $schema=x\nb: 2\n",
        "# yaml-language-server: $schema=x\n# about a\nb: 2\n",
    }


def test_a_list_is_sorted_where_it_stands():
    assert apply_edit("a: [z, 'x', y] # why\n", sort("a")) == "a: ['x', y, z] # why\n"
    assert apply_edit("a:\n  - z\n  - x\n", sort("a")) == "a:\n  - x\n  - z\n"


def test_a_line_is_put_before_the_first():
    head = Edit(file="f", action=Action.HEAD, value="# schema")
    assert apply_edit("a: 1\n", head) == "# schema\na: 1\n"
    assert apply_edit("a: 1\r\nb: 2\r\n", head) == "# schema\r\na: 1\r\nb: 2\r\n"


def test_lines_keep_their_ends():
    text = "a:\r\n  covers:\r\n    - x\r\n    - y\r\n"
    assert apply_edit(text, item(("a", "covers"), "x")) == "a:\r\n  covers:\r\n    - y\r\n"


@pytest.mark.parametrize(
    ("text", "edit"),
    [
        ("a: [x, y]\n", item(("a",), "z")),
        ("a: [x, x]\n", item(("a",), "x")),
        ("a: [x, y]\n", item(("b",), "x")),
        ("a: [x, # about x\n y]\n", item(("a",), "x")),
        ("a: [z, # about z\n y]\n", sort("a")),
        ("a:\n  - z # about z\n  - x\n", sort("a")),
        ("a:\n  - z\n  - x # about x\n", sort("a")),
        ("a: {x: 1}\n", item(("a",), "x")),
        ("{a: 1}\n", entry("a")),
        ("a: [\n", entry("a")),
        ("- a\n", entry("a")),
        ("a: 1\rb: 2\n", entry("b")),
        ("a: 'x\u2028y'\nb: 1\n", entry("b")),
        ("\ufeffa: 1\nb: 2\n", entry("b")),
        ("a: &x [p, q]\nb: *x\n", entry("b")),
        ("? a\n: 1\nb: 2\n", entry("a")),
        ("a: [1, x]\n", item(("a",), "x")),
        ("", entry("a")),
    ],
)
def test_what_cannot_be_cut_out_cleanly_is_left_alone(text, edit):
    assert apply_edit(text, edit) is None


_NAMES = st.lists(st.sampled_from([f"s:{c}.read" for c in "abcdef"]), min_size=1, unique=True)
_LAYOUTS = st.sampled_from(["flow", "block", "spaced", "flow-lines"])


def written(entries, layouts):
    lines = ["# top\n"]
    for (name, items), layout in zip(entries.items(), layouts, strict=False):
        lines.append(f"\n# about {name}\n{name}:\n  title: '{name} # no comment'\n")
        match layout:
            case "flow":
                lines.append(f"  covers: [{', '.join(items)}] # end\n")
            case "flow-lines":
                inner = ",\n".join(f"    {one}" for one in items)
                lines.append(f"  covers: [\n{inner}\n  ]\n")
            case "block":
                lines.append("  covers:\n" + "".join(f"    - {one}\n" for one in items))
            case _:
                lines.append("  covers:\n" + "".join(f"  -   '{one}'  # c\n\n" for one in items))
        lines.append("  description: >-\n    folded\n    text\n")
    return "".join(lines)


@given(
    st.dictionaries(st.sampled_from(["k:one.x", "k:two.x", "k:three.x"]), _NAMES, min_size=1),
    st.lists(_LAYOUTS, min_size=3, max_size=3),
    st.data(),
)
def test_an_edit_does_what_it_says_in_every_layout_or_nothing(entries, layouts, data):
    text = written(entries, layouts)
    name = data.draw(st.sampled_from(sorted(entries)))
    value = data.draw(st.sampled_from(entries[name]))
    edited = apply_edit(text, item((name, "covers"), value))
    assert edited is not None
    before, after = parse_yaml(text.encode(), file="").value, parse_yaml(edited.encode(), file="").value  # fmt: skip
    left = [one for one in entries[name] if one != value]
    assert after[name].get("covers", []) == left
    assert {k: v for k, v in before.items() if k != name} == {k: v for k, v in after.items() if k != name}  # fmt: skip
    assert set(edited.splitlines()) - set(text.splitlines()) <= {
        line for line in edited.splitlines() if "[" in line or ("," not in line and ":" in line)
    }
    assert all(f"# about {one}\n" in edited for one in entries)
