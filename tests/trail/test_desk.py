from remit.audit import Context, Redactor
from remit.audit.events import AgentSuspended
from remit.audit.facets import facets_of
from remit.trail.desk import Trail


def test_a_value_is_looked_for_by_all_that_may_stand_for_it_and_only_among_whose_it_is(
    index, source
):
    redactor = Redactor(b"k" * 32)
    for tenant in ("acme", "globex"):
        source.add("remit/main", AgentSuspended(context=Context(tenant=tenant), reason="x"))
    index.advance(at_once=True)
    trail = Trail(
        index=index, proofs=None, producer="x",
        tokens_of=lambda value, tenant: redactor.tokens(value, tenant=tenant),
    )  # fmt: skip
    for value, said in (("77", 77), ("true", True), ("jane", "jane"), ("-5", -5)):
        kept = redactor.redact({"a": said}, tenant="acme").input["a"]
        assert kept in trail.tokens(value, frozenset({"acme"}))
        assert kept in trail.tokens(value, None)
        assert kept not in trail.tokens(value, frozenset({"globex"}))


def test_a_token_within_a_text_is_found_too():
    token = f"tok1.pii.{'a' * 26}"
    entry = {"body": {"justification": f"for {token}, again", "input": {token: [f"x{token}"]}}}
    assert facets_of(entry) == {("token", token)}
