import pytest

from remit.audit.json_paths import MAX_PATH, BadPathError, json_path

_DOCUMENT = {
    "a": 1,
    "items": [{"type": "card", "number": "4"}, {"type": "cash", "number": "5"}],
    "a/b": [1, 2, 3],
    "~k": {"number": "6"},
}


@pytest.mark.parametrize(
    ("path", "pointers"),
    [
        ("$", [""]),
        ("$.a", ["/a"]),
        ("$.b", []),
        ("$..number", ["/items/0/number", "/items/1/number", "/~0k/number"]),
        ("$.items[*].type", ["/items/0/type", "/items/1/type"]),
        ("$.items[?@.type=='card'].number", ["/items/0/number"]),
        ("$['a/b'][0:2]", ["/a~1b/0", "/a~1b/1"]),
        ("$[?length(@.number) > 3]", []),
    ],
)
def test_a_path_names_places_by_their_pointers(path, pointers):
    assert json_path(path).pointers(_DOCUMENT) == pointers


@pytest.mark.parametrize(
    "path",
    [
        "",
        "a",
        "/a/b",
        "$[",
        "$.a | $.b",
        "$.a.~",
        "^.a",
        "$.items[?match(@.type, '(a+)+b')]",
        "$.items[?search(@.type, '(a+)+b')]",
        "$.items[?@.type =~ /(a+)+b/]",
        "$.items[?typeof(@.type) == 'string']",
        "$..*..*..*",
        "$[*,*][*,*]",
        "$['a', *]",
        "$[?@.a][?@.b][?@.c]",
        "$." + "a" * MAX_PATH,
    ],
)
def test_what_the_rfc_does_not_have_or_takes_too_long_is_refused(path):
    with pytest.raises(BadPathError) as refused:
        json_path(path)
    assert "\n" not in refused.value.detail


def nested(depth):
    document = {"a": 1}
    for _ in range(depth):
        document = {"a": document, "b": [1]}
    return document


@pytest.mark.parametrize("document", [{"a": [[1]] * 100_000}, nested(500), {"a": nested(200)}])
def test_of_a_large_document_what_a_record_shows_is_looked_at_and_no_more(document):
    assert 0 < len(json_path("$..*").pointers(document)) <= 512
    assert json_path("$.a").pointers(document) == ["/a"]


@pytest.mark.parametrize("path", ["$.a[?@.b]", "$.a[-1]", "$..[?@.b=='c']"])
@pytest.mark.parametrize("document", [{"a": [1] * 3_000}, nested(30)])
def test_what_depends_on_all_of_a_document_is_not_followed_in_a_large_one(path, document):
    with pytest.raises(BadPathError):
        json_path(path).pointers(document)


def test_a_condition_sees_all_of_a_document_that_is_not_large():
    items = [{"pad": [0] * 40, "kind": "card" if number == 39 else "cash"} for number in range(40)]
    assert json_path("$[?@.kind=='card'].kind").pointers({"x": items, **items[39]}) == []
    assert json_path("$.x[?@.kind=='card'].kind").pointers({"x": items}) == ["/x/39/kind"]


def test_a_path_that_names_too_much_is_not_followed():
    document = {"a": [[[[[0] * 3] * 3] * 3] * 3] * 3}
    with pytest.raises(BadPathError, match="names more"):
        json_path("$.a" + "['x',0,0,0,0,0,0,0,0]" * 5).pointers(document)
