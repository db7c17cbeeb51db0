import hmac
import json
import re
from base64 import b32encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.audit import Redactor
from remit.audit.events import Decided
from remit.audit.redact import MAX_LEAVES
from remit.audit.ruling import ruling_of
from remit.canonical import canonical_text
from remit.model import Argument, ArgumentType, AuditTreatment, Classification, RedactionRule
from remit.testing.audit import InMemoryAuditLog

KEY = bytes(range(32))
TOKEN = re.compile(r"tok1\.(text|number|bool|key|tree)\.[a-z2-7]{26}")


@pytest.fixture
def redactor():
    return Redactor(KEY)


def rule(pointer, audit, type_=ArgumentType.STRING) -> Argument:
    return Argument(name="a", type=type_, pointer=pointer, audit=audit)


def kept(redactor, arguments, *rules, tenant="acme"):
    return redactor.redact(arguments, tenant=tenant, rules=rules).input


CANARIES = {
    "password": "correct horse battery staple",
    "api_key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "aws": "AKIAIOSFODNN7EXAMPLE",
    "aws_secret": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "github": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    "pem": "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQ\n-----END PRIVATE KEY-----",
    "card": "4111 1111 1111 1111",
    "ssn": "078-05-1120",
    "iban": "DE89370400440532013000",
    "email": "zoe.example@mail.test",
    "phone": "+1 202 555 0143",
    "url": "https://user:hunter2secret@db.test/x?token=tsktsktsk99",
    "base64": "aHVudGVyMi1pcy1teS1wYXNzd29yZA==",
    "unicode": "пароль-секрет-日本語-\uff21\uff22",
    "control": "se\x00cr\u202eet\n{}",
    "number": 4111111111111111,
    "float": 88123.4567,
    "negative": -998877665544,
    "huge": 2**62 + 12345,
}


def shapes(canary):
    yield {"a": canary}
    yield {"a": {"b": {"c": canary}}}
    yield {"a": [canary, [canary], {"b": canary}]}
    yield {"a": {str(canary): 1}}
    yield {str(canary): {str(canary): [str(canary)]}}
    yield {"a": [[[[[[[[[[[[{"b": canary}]]]]]]]]]]]]}
    yield {"a": [{"b": canary}] * 500}
    yield {"a": f"prefix {canary} suffix"}
    yield {f"k{n}": canary for n in range(300)}
    yield {"/": {"~": canary}, "": canary}


@pytest.mark.parametrize("canary", CANARIES.values(), ids=CANARIES.keys())
def test_no_planted_secret_is_in_what_the_log_keeps(redactor, canary):
    for arguments in shapes(canary):
        redaction = redactor.redact(arguments, tenant="acme")
        text = json.dumps(redaction.input) + json.dumps(redaction.input, ensure_ascii=False)
        text += redaction.digest
        needles = {str(canary), canonical_text(canary).strip('"')}
        assert not any(needle in text for needle in needles)
        digits = re.findall(r"[0-9]{6,}", str(canary))
        assert not any(run in text for run in digits)


async def test_no_planted_secret_reaches_the_log_in_an_event(redactor):
    log = InMemoryAuditLog()
    for canary in CANARIES.values():
        for arguments in shapes(canary):
            redaction = redactor.redact(arguments, tenant="acme")
            await log.append(
                Decided(
                    decision_id="dec_1",
                    server="crm",
                    method="tools/call",
                    name="t",
                    outcome="allow",
                    reason="allowed",
                    input=redaction.input,
                    input_digest=redaction.digest,
                )
            )
            assert "omitted_bytes" not in log.entries[-1]["body"]["input"]
            assert str(canary) not in canonical_text(log.entries[-1])


def test_a_leaf_that_the_catalog_says_nothing_of_becomes_a_token(redactor):
    found = kept(redactor, {"text": "x", "count": 7, "ratio": 0.5, "flag": True, "none": None})
    assert {name: TOKEN.fullmatch(str(v)) and v.split(".")[1] for name, v in found.items()} == {
        "text": "text",
        "count": "number",
        "ratio": "number",
        "flag": "bool",
        "none": None,
    }


def test_structure_stays_and_only_values_go(redactor):
    found = kept(redactor, {"customer": {"id": "7", "tags": ["a", "b"]}, "line_2": [[], {}]})
    assert set(found) == {"customer", "line_2"}
    assert set(found["customer"]) == {"id", "tags"}
    assert len(found["customer"]["tags"]) == 2
    assert found["line_2"] == [[], {}]


def test_equal_values_of_one_tenant_have_equal_tokens_wherever_they_stand(redactor):
    found = kept(redactor, {"a": "x", "b": ["x"], "c": "y"})
    assert found["a"] == found["b"][0]
    assert found["a"] != found["c"]
    assert found["a"] == redactor.token("x", tenant="acme")


def test_tokens_differ_between_tenants_keys_and_sorts_of_value(redactor):
    tokens = {
        redactor.token("1", tenant="acme"),
        redactor.token("1", tenant="globex"),
        redactor.token("1", tenant=None),
        redactor.token("1", tenant=""),
        redactor.token(1, tenant="acme").replace("number", "text"),
        redactor.token(1.0, tenant="acme").replace("number", "text"),
        Redactor(bytes(32)).token("1", tenant="acme"),
    }
    assert len(tokens) == 7


def test_a_token_is_the_base32_of_an_hmac(redactor):
    """Made here from its definition, so that others can make it too."""
    scope = b'["remit redaction 1","token","acme"]'
    key = hmac.digest(KEY, scope, "sha256")
    code = hmac.digest(key, b'text\0"x"', "sha256")
    expected = b32encode(code)[:26].decode().lower()
    assert redactor.token("x", tenant="acme") == f"tok1.text.{expected}"


def test_true_and_one_are_not_one_token(redactor):
    assert kept(redactor, {"a": True})["a"] != kept(redactor, {"a": 1})["a"]


def test_what_the_catalog_keeps_is_kept_as_the_log_can_hold_it(redactor):
    keep = AuditTreatment.KEEP
    found = kept(
        redactor,
        {"text": "x" * 300, "count": 7, "ratio": 0.5, "huge": 2**60, "flag": False, "none": None},
        *(rule(f"/{name}", keep) for name in ("text", "count", "ratio", "huge", "flag", "none")),
    )
    assert found == {
        "text": "x" * 256,
        "count": 7,
        "ratio": "0.5",
        "huge": str(2**60),
        "flag": False,
        "none": None,
    }


def test_a_kept_list_of_texts_is_kept_and_a_kept_object_is_not(redactor):
    rules = (
        rule("/tags", AuditTreatment.KEEP, ArgumentType.STRINGS),
        rule("/o", AuditTreatment.KEEP),
    )
    found = kept(redactor, {"tags": ["a", "b"], "o": {"secret": "x"}}, *rules)
    assert found["tags"] == ["a", "b"]
    assert TOKEN.fullmatch(found["o"]["secret"])
    mixed = kept(redactor, {"tags": ["a", {"b": "secret"}]}, *rules)
    assert "secret" not in json.dumps(mixed["tags"])


def test_what_the_catalog_drops_is_gone(redactor):
    dropped = rule("/a/secret", AuditTreatment.DROP)
    assert kept(redactor, {"a": {"secret": "x", "b": None}}, dropped) == {"a": {"b": None}}
    assert kept(redactor, {"a": ["x", None]}, rule("/a/0", AuditTreatment.DROP)) == {
        "a": [None, None]
    }
    assert kept(redactor, {"a": {"b": "x"}}, rule("/a", AuditTreatment.DROP)) == {}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("4111111111111111", "****1111"),
        (4111111111111234, "****1234"),
        ("1234567", "****"),
        ("12345678901", "****"),
        (True, "****"),
        (None, None),
    ],
)
def test_the_last_four_are_shown_only_of_what_is_long_enough(redactor, value, shown):
    assert kept(redactor, {"card": value}, rule("/card", AuditTreatment.LAST4)) == {"card": shown}


def test_the_last_four_of_an_object_are_tokens(redactor):
    found = kept(redactor, {"card": {"n": "4111111111111111"}}, rule("/card", AuditTreatment.LAST4))
    assert TOKEN.fullmatch(found["card"]["n"])


@pytest.mark.parametrize("order", [1, -1])
def test_of_two_treatments_of_one_place_the_stricter_holds(redactor, order):
    rules = [rule("/a", AuditTreatment.KEEP), rule("/a", AuditTreatment.TOKEN)][::order]
    assert TOKEN.fullmatch(kept(redactor, {"a": "x"}, *rules)["a"])
    rules = [rule("/a", AuditTreatment.DROP), rule("/a", AuditTreatment.LAST4)][::order]
    assert kept(redactor, {"a": "4111111111111111"}, *rules) == {}


def test_pointers_reach_names_with_slashes_and_tildes(redactor):
    found = kept(redactor, {"a/b": {"c~d": "shown"}}, rule("/a~1b/c~0d", AuditTreatment.KEEP))
    assert found == {"a/b": {"c~d": "shown"}}


def test_a_pointer_to_one_place_says_nothing_of_another(redactor):
    found = kept(redactor, {"a": {"id": "x"}, "b": {"id": "x"}}, rule("/a/id", AuditTreatment.KEEP))
    assert found["a"]["id"] == "x"
    assert TOKEN.fullmatch(found["b"]["id"])


@pytest.mark.parametrize(
    "name", ["amount", "customer_id", "postalCode", "X-Request-ID", "line_2", "userID", "a", "URL"]
)
def test_a_key_that_reads_like_a_name_is_kept(redactor, name):
    assert set(kept(redactor, {name: 1})) == {name}


@pytest.mark.parametrize(
    "name",
    [
        "zoe@mail.test",
        "hunter2",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
        "correcthorsebatterystaple",
        "078-05-1120",
        "",
        "é",
        "a b",
        "x" * 41,
        "tok1.key.aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "+omitted",
    ],
)
def test_a_key_that_could_be_data_is_tokenised(redactor, name):
    (shown,) = kept(redactor, {name: 1})
    assert TOKEN.fullmatch(shown)


def test_what_is_too_much_is_counted_and_not_kept(redactor):
    found = kept(redactor, {"a": list(range(10_000))})
    assert len(found["a"]) <= MAX_LEAVES + 1
    assert found["a"][-1]["+omitted"] == 10_000 - (len(found["a"]) - 1)
    wide = kept(redactor, {f"k_{n}": 1 for n in range(99)} | {"z": [1] * 9, "y": [2] * 99})
    assert len(json.dumps(wide)) < 16_000


def test_what_is_too_deep_is_one_token(redactor):
    nested = {"a": "x"}
    for _ in range(20):
        nested = {"a": nested}
    found = kept(redactor, nested)
    while isinstance(found, dict):
        found = found["a"]
    assert found.startswith("tok1.tree.")


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=6)
        | st.dictionaries(
            st.text(st.characters(exclude_categories=["Cs"]), max_size=12), inner, max_size=6
        )
    ),
    max_leaves=30,
)


@settings(deadline=None)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), json_values, max_size=5))
def test_whatever_the_arguments_are_the_log_can_hold_what_is_kept(arguments):
    log = InMemoryAuditLog()
    redaction = Redactor(KEY).redact(arguments, tenant="acme")
    log.record(
        [
            Decided(
                decision_id="d",
                server="s",
                method="m",
                name=None,
                outcome="allow",
                reason="allowed",
                input=redaction.input,
                input_digest=redaction.digest,
            )
        ]
    )
    assert log.entries[0]["body"]["input"] == redaction.input


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=4), st.data())
def test_no_text_value_stays_in_the_input(text, data):
    arguments = data.draw(st.sampled_from([{"a": text}, {"a": [text]}, {"a": {"b": text}}]))
    (shown,) = re.findall(r"tok1\.text\.[a-z2-7]{26}", json.dumps(kept(Redactor(KEY), arguments)))
    assert shown


def test_the_digest_is_keyed_and_of_all_the_arguments(redactor):
    def digest(arguments, tenant="acme", key=KEY):
        return Redactor(key).redact(arguments, tenant=tenant).digest

    assert digest({"a": 1, "b": 2}) == digest({"b": 2, "a": 1})
    assert (
        len(
            {
                digest({"a": 1}),
                digest({"a": 2}),
                digest({"a": 1}, "globex"),
                digest({"a": 1}, key=bytes(32)),
            }
        )
        == 4
    )
    deep: object = "x"
    other: object = "y"
    for _ in range(20):
        deep, other = [deep], [other]
    assert digest({"a": deep}) != digest({"a": other})


def test_no_arguments_have_no_digest(redactor):
    assert redactor.redact(None, tenant="acme").digest is None
    assert redactor.redact(None, tenant="acme").input == {}
    assert redactor.redact({}, tenant="acme").digest is not None


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Redactor(b"short")


def test_many_tenants_do_not_fill_the_memory(redactor):
    tokens = [redactor.token("x", tenant=str(n)) for n in range(3000)]
    assert len(set(tokens)) == 3000
    assert len(redactor._derived) <= 1024
    assert redactor.token("x", tenant="0") == tokens[0]


@pytest.mark.parametrize(
    ("path", "treatment", "kept_of_it"),
    [
        ("$.tags[*]", AuditTreatment.DROP, [None, None]),
        ("$.tags[1]", AuditTreatment.DROP, ["alpha", None]),
        ("$..*", AuditTreatment.LAST4, ["****", "****"]),
    ],
)
def test_of_a_list_that_the_catalog_keeps_a_rule_may_take_elements(
    redactor, path, treatment, kept_of_it
):
    ruling = ruling_of(
        (rule("/tags", AuditTreatment.KEEP, ArgumentType.STRINGS),),
        rules=(RedactionRule(path=path, treatment=treatment),),
    )
    found = redactor.redact({"tags": ["alpha", "beta"]}, tenant="acme", ruling=ruling)
    assert found.input["tags"] == kept_of_it


def test_whoever_keeps_an_object_does_not_keep_what_is_called_a_secret_in_it(redactor):
    ruling = ruling_of(rules=(RedactionRule(path="$.o", treatment=AuditTreatment.KEEP),))
    told = {"password": "hunter", "deep": {"pin": 1234, "api_key": ["x"]}, "note": "words"}
    found = redactor.redact({"o": told}, tenant="acme", ruling=ruling).input["o"]
    assert found["password"].startswith("tok1.secret.")
    assert found["deep"]["pin"].startswith("tok1.secret.")
    assert found["deep"]["api_key"][0].startswith("tok1.secret.")
    assert found["note"] == "words"
    exact = ruling_of(rules=(RedactionRule(path="$..pin", treatment=AuditTreatment.KEEP),))
    assert redactor.redact({"pin": 1234}, tenant="acme", ruling=exact).input == {"pin": 1234}


@pytest.mark.parametrize("number", [4111111111111111, -4111111111111111, 4111111111111111.0])
def test_a_card_that_is_a_number_is_found_whatever_number_it_is(redactor, number):
    found = kept(redactor, {"n": number}, rule("/n", AuditTreatment.KEEP))["n"]
    assert found == kept(redactor, {"n": "4111111111111111"}, rule("/n", AuditTreatment.KEEP))["n"]


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**60), 2**60), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20), st.sampled_from(["ann@example.com", "4111 1111 1111 1111", "a plain word", "x" * 300]),
)  # fmt: skip
_NAMES = st.sampled_from(["a", "note", "items", "password", "ann@example.com", "k/~"])
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_NAMES, inner, max_size=4),
    max_leaves=30,
)
_RULES = st.lists(
    st.builds(
        RedactionRule,
        path=st.sampled_from(["$..note", "$.a", "$..*", "$.items[*]", "$.items[0].a", "$..[?@.a]"]),
        treatment=st.sampled_from(list(AuditTreatment)),
        classification=st.sampled_from([None, *Classification]),
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(arguments=st.dictionaries(_NAMES, _TREES, max_size=4), rules=_RULES)
def test_what_is_told_beforehand_is_what_is_kept(arguments, rules):
    redactor, ruling, notes = Redactor(KEY), ruling_of(rules=rules), []
    stored = redactor.redact(arguments, tenant="acme", ruling=ruling)
    told = redactor.redact(arguments, tenant="acme", ruling=ruling, notes=notes)
    assert told == stored
    leaves = [one for one in _leaves(stored.input) if one is not None]
    shown = [one for one in leaves if not str(one).startswith("tok1.")]
    says_so = [one for one in notes if one.treatment in {AuditTreatment.KEEP, AuditTreatment.LAST4}]
    assert len(shown) <= len(says_so)
    assert len(leaves) <= len([one for one in notes if one.treatment is not AuditTreatment.DROP])
    assert len({note.pointer for note in notes}) == len(notes)
    assert {note.pointer for note in notes if note.treatment is AuditTreatment.SEAL} >= set(
        stored.sealing
    )


def _leaves(value, name=""):
    """Each value in the order in which it was kept, but for what stands where something was left out."""
    if isinstance(value, dict):
        for inner, one in value.items():
            yield from _leaves(one, inner)
    elif isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif name != "+omitted":
        yield value


@pytest.mark.parametrize(
    "before",
    [
        {"blob": [0] * 600},
        {"blob": {str(n): n for n in range(600)}},
        {"deep": [[[[[[[[[[0] * 600]]]]]]]]]},
        {f"blob{n}": 0 for n in range(600)},
    ],
)
@pytest.mark.parametrize("path", ["$.customer.colour", "$..colour", "$..[?@ == 'crimson']"])
def test_who_sends_much_that_is_not_kept_moves_nothing_out_of_the_reach_of_rules(before, path):
    ruling = ruling_of(
        schema={
            "properties": {
                **{name: {"x-remit-audit": "drop"} for name in before if name != "deep"},
                "customer": {"x-remit-audit": "keep"},
            }
        },
        rules=[RedactionRule(path=path, treatment=AuditTreatment.DROP)],
    )
    said = {**before, "customer": {"colour": "crimson"}}
    assert "crimson" not in str(Redactor(KEY).redact(said, tenant="acme", ruling=ruling).input)


def test_a_pattern_of_a_schema_reaches_what_comes_after_much_that_is_dropped():
    person = {"properties": {"colour": {"x-remit-audit": "drop"}}, "x-remit-audit": "keep"}
    ruling = ruling_of(
        schema={
            "properties": {
                "blob": {"x-remit-audit": "drop"},
                "people": {"items": person, "x-remit-audit": "keep"},
            }
        }
    )
    for size in (10, 600):
        said = {"blob": [0] * size, "people": [{"colour": "crimson", "name": "Jo"}]}
        kept = str(Redactor(KEY).redact(said, tenant="acme", ruling=ruling).input)
        assert "crimson" not in kept
        assert ("Jo" in kept) == (size == 10)
