import pytest
from pydantic import TypeAdapter, ValidationError

from remit.repository.patterns import LinePattern

PATTERN: TypeAdapter[str] = TypeAdapter(LinePattern)


@pytest.mark.parametrize(
    "pattern",
    [
        "[A-Z]+-[0-9]+",
        r"(?:CR|INC)-\d{4,8}",
        r"[^\]]*",
        "[]a]{3}",
        ".*",
        "a{b",
        r"\(.+\)",
        "(ab)?c",
        "a+?",
    ],
)
def test_a_pattern_that_is_quickly_matched_is_admitted(pattern: str) -> None:
    assert PATTERN.validate_python(pattern) == pattern


@pytest.mark.parametrize(
    ("pattern", "fault"),
    [
        ("(a+)+", "a group is repeated"),
        ("(a|aa)*", "a group is repeated"),
        ("(?:a|a){2,}", "a group is repeated"),
        (r"(a)\1", "a group comes again"),
        ("(?=a)a", "a group looks elsewhere"),
        ("(?<!a)b", "a group looks elsewhere"),
        ("(?P<x>a)(?P=x)", "a group looks elsewhere"),
        ("(?i)a", "a group looks elsewhere"),
        ("a?" * 30 + "a" * 30, "too many ways"),
        (".*.*.*", "too many ways"),
        ("a{0,100}" * 4, "too many ways"),
        ("(?:a|a)" * 25, "too many ways"),
        ("[", "it cannot be read"),
        ("a**", "it cannot be read"),
        ("", "it has no characters"),
        ("a" * 201, "more than 200"),
        ("a\nb", "it has no characters"),
    ],
)
def test_a_pattern_that_could_make_anybody_wait_is_refused(pattern: str, fault: str) -> None:
    with pytest.raises(ValidationError) as raised:
        PATTERN.validate_python(pattern)

    assert fault in str(raised.value)


@pytest.mark.parametrize("given", [None, 5, ["a"]])
def test_what_is_no_text_is_no_pattern(given: object) -> None:
    with pytest.raises(ValidationError):
        PATTERN.validate_python(given)
