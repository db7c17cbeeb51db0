from remit.audit import Context, Query, Redactor
from remit.audit.events import AgentSuspended
from remit.audit.facets import facets_of
from remit.trail.desk import Trail
from remit.trail.question import Question
from remit.trail.search import search


def test_a_value_is_looked_for_by_all_that_may_stand_for_it_and_only_among_whose_it_is(
    index, source
):
    redactor = Redactor(b"k" * 32)
    for tenant in ("acme", "globex"):
        source.add("remit/main", AgentSuspended(context=Context(tenant=tenant), reason="x"))
        index.advance(at_once=tenant == "acme")  # of the other nothing is indexed yet
    trail = Trail(
        index=index, proofs=None, producer="x",
        tokens_of=lambda value, tenant: redactor.tokens(value, tenant=tenant),
    )  # fmt: skip
    for value, said in (("77", 77), ("true", True), ("jane", "jane"), ("-5", -5)):
        kept = redactor.redact({"a": said}, tenant="acme").input["a"]
        assert kept in trail.tokens(value, frozenset({"acme"}))
        assert kept in trail.tokens(value, None)
        theirs = redactor.redact({"a": said}, tenant="globex").input["a"]
        assert theirs in trail.tokens(value, None)
        assert theirs not in trail.tokens(value, frozenset({"acme"}))
        assert kept not in trail.tokens(value, frozenset({"globex"}))


def test_a_token_within_a_text_is_found_too():
    token = f"tok1.pii.{'a' * 26}"
    entry = {"body": {"justification": f"for {token}, again", "input": {token: [f"x{token}"]}}}
    assert facets_of(entry) == {("token", token)}


def test_a_value_that_may_be_very_many_tokens_is_looked_for_at_all(index, source):
    for _ in range(3):
        source.add("remit/main", AgentSuspended(context=Context(tenant="acme"), reason="x"))
    index.advance(at_once=True)
    token = f"tok1.pii.{'a' * 26}"
    source.add("remit/main", AgentSuspended(context=Context(tenant="acme"), reason=f"of {token}"))
    index.advance(at_once=True)
    many = (*(f"tok1.pii.{number:026d}" for number in range(70_000)), token)
    (found,) = search(index, Question(query=Query(tokens=many))).found
    assert found.record.sequence == 3
