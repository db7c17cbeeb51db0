import pytest

from remit.audit.redact import Redactor
from remit.audit.ruling import NO_RULING, Place, ruling_of, stricter
from remit.model import Argument, ArgumentType, AuditTreatment, Classification, RedactionRule

KEEP, DROP, TOKEN, SEAL, LAST4 = (
    AuditTreatment.KEEP,
    AuditTreatment.DROP,
    AuditTreatment.TOKEN,
    AuditTreatment.SEAL,
    AuditTreatment.LAST4,
)
REDACTOR = Redactor(b"k" * 32)


def schema(**properties):
    return {"type": "object", "properties": properties}


def said(audit=None, sort=None, **more):
    words = {"x-remit-audit": audit, "x-remit-class": sort}
    return {**{name: word for name, word in words.items() if word is not None}, **more}


def kept(arguments, **ruling):
    return REDACTOR.redact(arguments, tenant="acme", ruling=ruling_of(**ruling)).input


def argument(name, audit):
    return Argument(name=name, type=ArgumentType.STRING, pointer=f"/{name}", audit=audit)


def test_what_nobody_speaks_of_is_a_token():
    assert kept({"a": "x"})["a"].startswith("tok1.text.")
    assert NO_RULING.places({"a": 1}) == {}


@pytest.mark.parametrize(
    ("audit", "sort", "shown"),
    [
        ("keep", None, "4000 0000 0000 9995"[:0] + "Berlin"),
        (None, "public", "Berlin"),
        ("keep", "internal", "Berlin"),
        (None, "pii", "tok1.pii."),
        (None, "internal", "tok1.internal."),
        ("token", "phi", "tok1.phi."),
        ("seal", "financial", "tok1.financial."),
        ("last4", None, "****"),
        ("mask:last4", None, "****"),
        ("keep", "secret", "tok1.secret."),
        ("keep", "phi", "tok1.phi."),
        ("keep", "pan", "tok1.pan."),
    ],
)
def test_a_schema_says_how_a_value_is_treated(audit, sort, shown):
    place = schema(city=said(audit, sort, type="string"))
    assert kept({"city": "Berlin"}, schema=place)["city"].startswith(shown)


@pytest.mark.parametrize("word", ["no", "KEEP", "mask:last8", 1, ["keep"], {}])
def test_a_word_that_nobody_knows_drops(word):
    assert kept({"city": "Berlin"}, schema=schema(city={"x-remit-audit": word})) == {"+omitted": 1}
    assert kept(
        {"city": "Berlin"}, schema=schema(city={"x-remit-class": word, "x-remit-audit": "keep"})
    ) == {"+omitted": 1}


def test_what_is_said_within_arrays_members_references_and_alternatives_holds_there():
    place = {
        "$defs": {"card": schema(number=said("last4", "pan"), owner=said(None, "pii"))},
        "properties": {
            "cards": {"type": "array", "items": {"$ref": "#/$defs/card"}},
            "labels": {"additionalProperties": said("keep")},
            "way": {"anyOf": [{"type": "null"}, schema(code=said("drop"))]},
        },
    }
    found = kept(
        {
            "cards": [{"number": "4111111111111111", "owner": "Ann"}],
            "labels": {"colour": "blue"},
            "way": {"code": "x", "other": "y"},
        },
        schema=place,
    )
    assert found["cards"][0]["number"] == "****1111"
    assert found["cards"][0]["owner"].startswith("tok1.pii.")
    assert found["labels"] == {"colour": "blue"}
    assert found["way"]["+omitted"] == 1
    assert "code" not in found["way"]


def test_a_schema_that_refers_to_itself_or_elsewhere_is_read_to_an_end():
    place = {
        "$ref": "#",
        "properties": {"next": {"$ref": "#"}, "x": {"$ref": "https://e/x"}, "y": said("keep")},
    }
    assert kept({"next": {"y": "far"}, "y": "near"}, schema=place) == {
        "next": {"y": "far"}, "y": "near"
    }  # fmt: skip


def test_a_schema_that_branches_without_an_end_keeps_nothing_rather_than_taking_for_ever():
    place = {"properties": {name: {"$ref": "#"} for name in "abcdefgh"}, "x-remit-class": "public"}
    assert kept({"a": {"b": "x"}}, schema=place) == {"+omitted": 1}


def test_of_a_schema_that_says_more_than_anybody_reads_nothing_is_kept():
    place = schema(**{f"n{number}": said("keep") for number in range(1_000)})
    assert kept({"n1": "x", "n2": "y"}, schema=place) == {"+omitted": 2}


@pytest.mark.parametrize(
    "place",
    [None, [], "x", True, {"properties": []}, {"items": 4}, {"anyOf": "x", "prefixItems": 3}],
)
def test_a_schema_that_is_none_says_nothing(place):
    assert ruling_of(schema=place).pointers == {}


def test_what_is_said_of_an_object_holds_for_all_in_it_and_never_less_strictly():
    place = schema(
        person=said("token", "pii", properties={"city": said("keep"), "ssn": said("drop")})
    )
    found = kept({"person": {"name": "Ann", "city": "Berlin", "ssn": "1"}}, schema=place)["person"]
    assert found["name"].startswith("tok1.pii.")
    assert found["city"].startswith("tok1.pii.")
    assert "ssn" not in found


def test_a_rule_of_the_repository_names_places_by_a_path():
    rules = [
        RedactionRule(path="$..city", treatment=KEEP),
        RedactionRule(path="$.people[?@.vip].name", treatment=DROP),
        RedactionRule(path="$.people[*].name", treatment=TOKEN, classification=Classification.PII),
    ]
    found = kept(
        {"people": [{"name": "Ann", "city": "Ulm"}, {"name": "Bob", "vip": True, "city": "Bonn"}]},
        rules=rules,
    )["people"]
    assert found[0]["city"] == "Ulm"
    assert found[0]["name"].startswith("tok1.pii.")
    assert "name" not in found[1]
    assert found[1]["+omitted"] == 1


def test_a_rule_for_everything_drops_everything():
    redaction = REDACTOR.redact(
        {"a": 1, "b": [2]},
        tenant="acme",
        ruling=ruling_of(rules=[RedactionRule(path="$", treatment=DROP)]),
    )
    assert redaction.input == {"+omitted": 2}
    assert redaction.dropped == ("",)


def test_where_a_rule_cannot_be_followed_nothing_is_kept():
    deep: list[object] = []
    for _ in range(200):
        deep = [deep]
    rule = RedactionRule(path="$..[?@.x]", treatment=KEEP)
    assert kept({"a": deep, "b": "secret"}, rules=[rule]) == {"+omitted": 2}


def test_the_catalog_the_schema_and_a_rule_are_all_heard_and_the_strictest_holds():
    rule = RedactionRule(path="$.city", treatment=KEEP)
    place = schema(city=said("keep", "public"))
    assert kept({"city": "Ulm"}, schema=place, rules=[rule]) == {"city": "Ulm"}
    declared = [argument("city", TOKEN)]
    assert kept({"city": "Ulm"}, declared=declared, schema=place, rules=[rule])["city"].startswith(
        "tok1.public."
    )
    assert kept({"city": "Ulm"}, declared=[argument("city", DROP)], schema=place) == {"+omitted": 1}
    assert kept({"city": "Ulm"}, declared=[argument("city", DROP)]) == {}


def test_the_stricter_of_two_places_is_the_same_whichever_comes_first():
    places = [
        Place(one, sort)
        for one in (None, KEEP, DROP, TOKEN, SEAL, LAST4)
        for sort in (None, *Classification)
    ]
    for one in places:
        assert stricter(one, None) == one
        for other in places:
            first, second = stricter(one, other), stricter(other, one)
            assert (first.treatment, first.classification) == (
                second.treatment,
                second.classification,
            )


def test_what_is_to_be_sealed_is_put_aside_and_stands_as_a_token():
    rule = RedactionRule(path="$.notes", treatment=SEAL, classification=Classification.PHI)
    redaction = REDACTOR.redact(
        {"notes": "well", "a": 1}, tenant="acme", ruling=ruling_of(rules=[rule])
    )
    assert redaction.sealing == {"/notes": "well"}
    assert redaction.input["notes"].startswith("tok1.phi.")
    assert redaction.dropped == ()


@pytest.mark.parametrize(
    "word",
    [
        {"dependentSchemas": {"x": {"properties": {"y": {"x-remit-audit": "drop"}}}}},
        {"dependencies": {"x": {"properties": {"y": {"x-remit-audit": "drop"}}}}},
        {"not": {"properties": {"y": {"x-remit-audit": "drop"}}}},
        {"$dynamicRef": "#/$defs/d"},
        {"$recursiveRef": "#/$defs/d"},
    ],
)
def test_a_word_of_a_schema_that_hardly_anybody_uses_says_as_much(word):
    schema = {
        "properties": {"p": {"x-remit-audit": "keep", **word}},
        "$defs": {"d": {"properties": {"y": {"x-remit-audit": "drop"}}}},
    }
    found = ruling_of(schema=schema)
    assert found.pointers["/p/y"].holds is AuditTreatment.DROP


@pytest.mark.parametrize(
    "word",
    [
        {"items": [{"x-remit-audit": "drop"}]},
        {"additionalItems": {"x-remit-audit": "drop"}},
        {"unevaluatedItems": {"x-remit-audit": "drop"}},
    ],
)
def test_what_is_said_of_elements_is_said_of_any(word):
    found = ruling_of(schema={"properties": {"p": {"x-remit-audit": "keep", **word}}})
    assert found.places({"p": ["x"]})["/p/0"].holds is AuditTreatment.DROP


@pytest.mark.parametrize("reference", ["#card", "https://example.com/card", "#/$defs/none"])
def test_where_a_reference_is_not_followed_nothing_is_kept(reference):
    schema = {"properties": {"p": {"x-remit-audit": "keep", "$ref": reference}}}
    assert ruling_of(schema=schema).pointers["/p"].holds is AuditTreatment.TOKEN
