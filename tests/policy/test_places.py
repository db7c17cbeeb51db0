from remit.policy import CedarEngine, PolicySource, RuleEffect
from remit.policy.places import places_of, without
from remit.repository import load_repository, write_example
from remit.testing.catalog import small_catalog

TEXT = """// the first line
@id("all")
permit (principal, action, resource);

@id("large") @refusal("ask a person") // principal.tenant is not read here
forbid (principal, action == Remit::Action::"payments/refund", resource)
when {
  context.arguments.amount.value.greaterThan(decimal("500.0")) &&
  principal.roles.contains("context.ip") && principal.getTag("department") == "x"
}
unless { context has ip && context.time.hour < 9 };
"""
SOURCE = PolicySource(TEXT, "policies/a.cedar")


def test_each_policy_has_its_place_its_words_and_what_it_reads():
    places = places_of([SOURCE])
    assert list(places) == ["all", "large"]
    everything, large = places.values()
    assert (everything.effect, everything.file, everything.line) == (
        RuleEffect.PERMIT, "policies/a.cedar", 3,
    )  # fmt: skip
    assert (everything.refusal, everything.reads) == (None, ())
    assert (large.effect, large.line, large.refusal) == (RuleEffect.FORBID, 6, "ask a person")
    assert large.reads == (
        "context.arguments.amount.value",
        "principal.roles",
        'principal tag "department"',
        "context.ip",
        "context.time.hour",
    )


def test_what_stands_in_comments_and_strings_is_not_read():
    (place,) = places_of(
        [PolicySource('@id("a") permit(principal, action, resource)\n'
                      '// context.ip\nwhen { principal.id == "resource.owner" };', "f")]
    ).values()  # fmt: skip
    assert place.reads == ("principal.id",)


def test_one_policy_is_left_out_and_every_other_stays_where_it_was():
    left = without([SOURCE], "large")
    assert list(places_of(left)) == ["all"]
    assert CedarEngine.load(left, small_catalog()).rules[0].id == "all"
    assert places_of(without([SOURCE], "nothing")) == places_of([SOURCE])
    assert "permit" not in without([SOURCE], "all")[0].text.split("@id")[0]


def test_without_each_policy_of_the_example_the_rest_still_loads(tmp_path):
    write_example(tmp_path / "policy")
    loaded = load_repository(tmp_path / "policy")
    places = places_of(loaded.policies)
    whole = CedarEngine.load(loaded.policies, loaded.catalog)
    assert set(places) == {rule.id for rule in whole.rules}
    for name in places:
        rest = CedarEngine.load(without(loaded.policies, name), loaded.catalog)
        assert {rule.id for rule in rest.rules} == set(places) - {name}
