from remit.documents import ANY, parse_yaml
from remit.repository.draft import names_under, strings_at

DOCUMENT = parse_yaml(b"a: {x: 1, y: [p, 2, q]}\nb: text\n", file="f")


def test_only_text_is_found() -> None:
    assert list(strings_at(DOCUMENT, ("a", "y", ANY))) == [
        (("a", "y", 0), "p"),
        (("a", "y", 2), "q"),
    ]
    assert list(strings_at(None, ("a",))) == []


def test_names_are_the_keys_of_a_mapping_or_the_texts_of_a_list() -> None:
    assert names_under(DOCUMENT, "a") == {"x", "y"}
    assert names_under(DOCUMENT, "a", "y") == {"p", "q"}


def test_where_there_are_no_names_nothing_is_known_rather_than_nothing_declared() -> None:
    assert names_under(DOCUMENT, "b") is None
    assert names_under(DOCUMENT, "c") is None
    assert names_under(None, "a") is None
