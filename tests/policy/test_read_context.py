"""A context of what is read is the whole context without the rest, and the schema fits it."""

from dataclasses import replace
from decimal import Decimal

import pytest
from cedarpy import Entities, PolicySet, is_authorized

from remit.canonical import parse_object
from remit.clock import EpochSeconds
from remit.model import HistoryFact, HistoryMeasure
from remit.policy import Phase
from remit.policy.cedar_request import context_json, principal_uid
from remit.policy.evaluation import Elevation
from remit.policy.facts import FACTS
from remit.policy.read_context import ReadContext
from remit.policy.reads import Reads

TOOL = "crm/update_account"
ELEVATED = Elevation(
    roles=("boss",), acr="urn:remit:acr:mfa", confirmed_at=EpochSeconds(1), scopes=("a:b",)
)
PAST = {"calls": 3, "spent": Decimal("2.5"), "opened": frozenset({"hr", "b"})}
PAST_FACTS = {
    name: HistoryFact(name=name, measure=measure)
    for name, measure in (
        ("calls", HistoryMeasure.COUNT),
        ("spent", HistoryMeasure.SUM),
        ("opened", HistoryMeasure.DATA_CATEGORIES),
    )
}


@pytest.fixture
def declared(desk):
    return desk.catalog.servers["crm"].tools["update_account"].arguments


def reads(*facts, arguments=(), history=None):
    names = None if arguments is None else frozenset(arguments)
    past = None if history is None else frozenset(history)
    return Reads(facts=frozenset(facts), arguments=names, history=past)


def asked(desk, **changes):
    arguments = {"account": "a", "score": 3, "tags": ("x", "y")}
    told = {
        "justification": "asked for",
        "told": {"ticket": "CHG-7"},
        "history": PAST,
        "networks": ("office",),
        "elevation": ELEVATED,
    }
    return desk.ask(**{"name": "update_account", "arguments": arguments, **told, **changes})


def fits(desk, context, text, declared):
    """Whether Cedar takes `text` as a context under the schema of `context`."""
    uid = principal_uid(desk.ask().subject)
    request = {
        "principal": uid,
        "action": {"type": "Remit::Action", "id": TOOL},
        "resource": {"type": "Remit::Tool", "id": TOOL},
        "context": text,
    }
    policies = PolicySet.from_str("permit(principal, action, resource);")
    schema = context.schema(TOOL, "Tool", declared, history=PAST_FACTS, told={"reason", "ticket"})
    return is_authorized(request, policies, Entities.from_json_str("[]"), schema).allowed


def test_everything_that_is_read_is_everything(desk, declared):
    context = ReadContext.of(reads(*FACTS, arguments=None), declared, history=PAST_FACTS)
    assert context.json(asked(desk)) == context_json(asked(desk))
    assert fits(desk, context, context.json(asked(desk)), declared)


@pytest.mark.parametrize("fact", sorted(FACTS), ids=".".join)
def test_each_fact_alone_is_as_it_is_in_the_whole(desk, declared, fact):
    context = ReadContext.of(reads(fact, arguments=None), declared, history=PAST_FACTS)
    question = asked(desk)
    question = replace(question, token=replace(question.token, acr="gold", auth_time=5))
    part, whole = (
        parse_object(text.encode()) for text in (context.json(question), context_json(question))
    )
    for name in fact[1:] if fact[0] == "context" else ():
        assert part.keys() == {name}
        part, whole = part[name], whole[name]
    assert part == (whole if fact[0] == "context" else {})
    assert fits(desk, context, context.json(question), declared)


def test_what_is_absent_is_left_out_and_what_holds_it_is_not(desk, declared):
    context = ReadContext.of(
        reads(("context", "token", "acr"), ("context", "ip")), declared, history={}
    )
    assert context.json(asked(desk, ip=None)) == '{"token":{}}'


def test_of_the_past_those_facts_are_there_that_are_read(desk, declared):
    one = ReadContext.of(
        reads(("context", "history"), history={"spent", "nothing"}), declared, history=PAST_FACTS
    )
    spent = '{"history":{"spent":{"__extn":{"arg":"2.5000","fn":"decimal"}}}}'
    assert one.json(asked(desk)) == spent
    assert fits(desk, one, spent, declared)
    assert not fits(desk, one, '{"history":{}}', declared)
    assert not fits(desk, one, "{}", declared)


def test_where_nothing_is_called_nothing_is_there_that_a_call_brings(desk):
    facts = tuple(("context", one) for one in ("history", "justification", "told", "arguments"))
    context = ReadContext.of(reads(*facts, arguments=None), None, history=PAST_FACTS)
    assert context.json(asked(desk)) == "{}"


def test_of_the_arguments_those_are_there_that_are_read(desk, declared):
    context = ReadContext.of(
        reads(("context", "arguments"), arguments={"score", "nothing"}),
        declared,
        history=PAST_FACTS,
    )
    assert context.json(asked(desk)) == '{"arguments":{"score":3}}'
    assert fits(desk, context, '{"arguments":{}}', declared)
    assert context.json(asked(desk, phase=Phase.LIST, arguments=None)) == "{}"


def test_a_type_that_the_schema_does_not_have_is_refused_by_it(desk, declared):
    context = ReadContext.of(
        reads(("context", "arguments"), arguments={"score"}), declared, history={}
    )
    assert fits(desk, context, '{"arguments":{"score":3}}', declared)
    assert not fits(desk, context, '{"arguments":{"score":"3"}}', declared)
    assert not fits(desk, context, '{"arguments":{},"more":1}', declared)
    assert not fits(desk, context, "{}", declared)


def test_what_was_told_is_there_where_it_is_read_and_something_was(desk, declared):
    told = ReadContext.of(reads(("context", "told")), declared, history={})
    assert told.json(asked(desk)) == '{"told":{"ticket":"CHG-7"}}'
    assert told.json(asked(desk, told=None)) == "{}"
    assert fits(desk, told, '{"told":{"ticket":"CHG-7"}}', declared)
    assert fits(desk, told, "{}", declared)
    assert not fits(desk, told, '{"told":{"tikcet":"CHG-7"}}', declared)
    assert not fits(desk, told, '{"told":{"ticket":7}}', declared)
