from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.documents import Document, DocumentInvalidError, Problem, load_yaml, parse_yaml
from remit.documents.reading import MAX_BYTES, MAX_DEPTH, read_yaml


def problems_in(text: str | bytes) -> tuple[Problem, ...]:
    data = text.encode() if isinstance(text, str) else text
    with pytest.raises(DocumentInvalidError) as caught:
        parse_yaml(data, file="x.yaml")
    return caught.value.problems


def test_plain_values_follow_the_core_schema_of_yaml_1_2() -> None:
    text = "a: 1\nb: 1.5\nc: true\nd: null\ne: ~\nf: no\ng: on\nh: 2026-11-21\ni: 12:30\nj: '1'\nk: |\n  x\n"
    assert parse_yaml(text.encode(), file="x").value == {
        "a": 1,
        "b": 1.5,
        "c": True,
        "d": None,
        "e": None,
        "f": "no",
        "g": "on",
        "h": "2026-11-21",
        "i": "12:30",
        "j": "1",
        "k": "x\n",
    }


def test_numbers_that_readers_disagree_about_stay_text() -> None:
    text = b"a: 123456789012345678901234567890\nb: 1e999\nc: 0x1f\nd: 0o17\ne: 1_000\nf: .inf\n"
    value = parse_yaml(text, file="x").value
    assert isinstance(value, dict)
    assert all(isinstance(item, str) for item in value.values())


def test_an_empty_file_is_an_empty_mapping() -> None:
    assert parse_yaml(b"# only a comment\n", file="x").value == {}


def test_every_node_knows_its_line_and_column() -> None:
    document = parse_yaml(b"a:\n  - b: one\n    c: [x, yy]\n", file="x")
    [(path, node)] = document.find(("a", 0, "c", 1))
    assert path == ("a", 0, "c", 1)
    assert (node.value, node.position.line, node.position.column, node.position.width) == (
        "yy",
        3,
        12,
        2,
    )


def test_a_duplicate_key_is_refused_and_names_the_first() -> None:
    [problem] = problems_in("a: 1\nb: 2\na: 3\n")
    assert (problem.line, problem.column) == (3, 1)
    assert "`a` stands here twice" in problem.message
    assert "line 1" in problem.expected


def test_all_that_is_refused_in_one_file_is_reported_at_once() -> None:
    problems = problems_in("a: &x 1\nb: *x\nc: !!str 2\nd: 1\nd: 2\n5: y\n")
    assert [problem.line for problem in problems] == [1, 2, 3, 5, 6]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("a: &x 1\n", "the anchor `&x`"),
        ("a: *x\n", "the alias `*x`"),
        (
            "a: !!python/object:os.system {}\n",
            "the tag `tag:yaml.org,2002:python/object:os.system`",
        ),
        ("a: ! b\n", "the tag"),
        ("%YAML 1.1\n---\na: 1\n", "directive"),
        ("%YAML 1.9\n---\na: 1\n", "not YAML"),
        ('a: "\\U00110000"\n', "not YAML"),
        ("%TAG ! tag:example.com,2000:\n---\na: 1\n", "directive"),
        ("a: 1\n---\nb: 2\n", "a second document"),
        ("1: a\n", "a key that is not text"),
        ("true: a\n", "a key that is not text"),
        ("? [a, b]\n: c\n", "a key that is not text"),
        ("\ta: 1\n", "tab"),
        ("a: b: c\n", "where no key can stand"),
        ("a: 1\nb\n", "without a `:`"),
        ("a: [1, 2\n", "not YAML"),
        ("a: 'x\n", "not YAML"),
        ("}", "not YAML"),
        ("a: \x07\n", "is not allowed in YAML"),
        (b"\xef\xbb\xbfa: 1\n", "byte-order mark"),
        (b"a: 1\nb: \xff\n", "not UTF-8"),
        (b"a: " + b"x" * MAX_BYTES, "too large"),
        ("[" * 1000, "nested too deeply"),
        ("a: {" * 1000, "nested too deeply"),
    ],
)
def test_what_is_not_strict_yaml_is_refused(text: str | bytes, says: str) -> None:
    problems = problems_in(text)
    assert any(says in problem.message for problem in problems), problems
    assert all("\n" not in str(problem) for problem in problems)


@pytest.mark.parametrize("turned", ["\u202a", "\u202e", "\u2066", "\u2069"], ids=ascii)
@pytest.mark.parametrize("text", ["a: 1\nb: x{}y\n", "a: 1\n#   {} b: 2", "a: 1\nb: '{}'"], ids=["value", "comment", "quoted"])  # fmt: skip
def test_what_is_shown_otherwise_than_it_is_read_is_refused(text: str, turned: str) -> None:
    """A comment can be made to look like a rule, and a rule like a comment."""
    (problem,) = problems_in(text.format(turned))
    assert (problem.line, problem.column) == (2, 5)
    assert f"U+{ord(turned):04X}, which turns the writing around" in problem.message
    assert problem.excerpt.isprintable()


def test_an_escape_and_a_script_that_is_written_from_the_right_are_read() -> None:
    text = 'a: "x\\u202ey"\nb: \u05e9\u05dc\u05d5\u05dd\n'
    assert parse_yaml(text.encode(), file="x").value == {
        "a": "x\u202ey",
        "b": "\u05e9\u05dc\u05d5\u05dd",
    }


def test_nesting_up_to_the_limit_is_read() -> None:
    depth = MAX_DEPTH - 1
    assert parse_yaml(b"[" * depth + b"x" + b"]" * depth, file="x").value


def test_an_alias_bomb_is_refused_before_it_unfolds() -> None:
    text = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [*a{n}, *a{n}]\n" for n in range(60))
    problems = problems_in(text)
    assert "anchor" in problems[0].message
    assert len(problems) == 100


def test_a_file_full_of_mistakes_is_given_up_after_a_hundred() -> None:
    assert len(problems_in("a: 1\n" * 5_000)) == 100


def test_a_bad_byte_is_placed() -> None:
    [problem] = problems_in("ä: 1\nö: ".encode() + b"\xff")
    assert (problem.line, problem.column) == (2, 4)


def test_a_key_without_a_value_is_pointed_at_itself() -> None:
    document = parse_yaml(b"a: 1\nbb:\n", file="x")
    problem = document.problem(("bb",), "nothing")
    assert (problem.line, problem.column, problem.width) == (2, 1, 2)


def test_a_file_that_cannot_be_opened_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(
        DocumentInvalidError, match="cannot read the file: no such file or directory"
    ):
        load_yaml(tmp_path / "absent.yaml", file="absent.yaml")


def test_a_file_is_named_as_the_caller_says(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(DocumentInvalidError) as caught:
        load_yaml(tmp_path / "a.yaml", file="servers/a.yaml")
    assert caught.value.problems[0].file == "servers/a.yaml"


def outcome(data: bytes) -> Document | tuple[Problem, ...]:
    try:
        return parse_yaml(data, file="x.yaml")
    except DocumentInvalidError as error:
        return error.problems


@given(st.binary(max_size=200))
def test_any_bytes_are_either_read_or_refused_at_a_place(data: bytes) -> None:
    found = outcome(data)
    if not isinstance(found, Document):
        assert found
        assert all(problem.line >= 1 and problem.column >= 1 for problem in found)


@given(st.text(alphabet="ab: -[]{}&*!|>'\"#%@\n,?", max_size=60))
def test_any_text_near_yaml_is_either_read_or_refused(text: str) -> None:
    assert outcome(text.encode())


def test_a_refused_file_still_has_its_tree() -> None:
    reading = read_yaml(
        b"a: {x: 1, l: [p]}\nb: *z\n? [c]\n: d\na: {x: 2, y: 3, l: [p, q]}\n", file="f"
    )
    assert reading.document is not None
    assert reading.document.value == {"a": {"x": 1, "l": ["p", "q"], "y": 3}, "b": None}
    assert [one.line for one in reading.problems] == [2, 3, 5]
    [(_, found)] = reading.document.find(("a", "y"))
    assert found.position.line == 5


@pytest.mark.parametrize("data", [b"a: [", b"\xff", b"[" * 40 + b"]" * 40, b"a: \x00"])
def test_a_file_whose_syntax_has_no_tree_has_none(data: bytes) -> None:
    reading = read_yaml(data, file="f")
    assert reading.document is None
    assert reading.problems
