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
        "$." + "a" * MAX_PATH,
    ],
)
def test_what_the_rfc_does_not_have_or_takes_too_long_is_refused(path):
    with pytest.raises(BadPathError) as refused:
        json_path(path)
    assert "\n" not in refused.value.detail
