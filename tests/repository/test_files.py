from remit.repository.files import digest_of, files_of

from .conftest import FILES

CONTENTS = {name: text.encode() for name, text in FILES.items()}


def test_the_files_of_a_bundle_are_told_apart_by_their_paths() -> None:
    found = files_of(
        {**CONTENTS, "stages/prod/roles.yaml": b"a", "tests/x.yaml": b"b", "tests/d/y.yaml": b"c"}
    )
    assert found.problems == ()
    assert set(found.contents) == set(FILES)
    assert found.overlays == {"prod": {"roles.yaml": b"a"}}
    assert set(found.cases) == {"tests/x.yaml", "tests/d/y.yaml"}
    assert len(found.bundle) == len(FILES) + 3


def test_what_has_to_be_there_is_missed() -> None:
    found = files_of({name: data for name, data in CONTENTS.items() if name != "scopes.yaml"})
    assert [one.message for one in found.problems] == ["`scopes.yaml` is missing"]


def test_the_digest_depends_on_every_path_and_every_byte() -> None:
    whole = {"a": b"1", "b": b"2"}
    others = [
        {"a": b"12", "b": b""},
        {"a": b"1", "c": b"2"},
        {"a": b"1"},
        {"ab": b"12"},
        {"a": b"2", "b": b"1"},
    ]
    assert len({digest_of(one) for one in [whole, *others]}) == 6


def test_the_digest_does_not_depend_on_the_order_of_reading() -> None:
    assert digest_of({"a": b"1", "b": b"2"}) == digest_of({"b": b"2", "a": b"1"})
