"""Which facts the policies about a thing read: no fewer than they do, and no more than that takes."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.guard.target import find_target
from remit.model import HistoryFact, HistoryMeasure
from remit.policy import CedarEngine, PolicySource, ResourceKind
from remit.testing.catalog import small_catalog

FACTS = {
    name: HistoryFact(name=name, measure=HistoryMeasure.COUNT)
    for name in ("calls", "exports", "more")
}
CATALOG = replace(small_catalog(), history=MappingProxyType(FACTS))


def read(text, thing="export_accounts", catalog=CATALOG):
    engine = CedarEngine.load([PolicySource(text, "policies/test.cedar")], catalog)
    target = find_target(catalog.servers["crm"], ResourceKind.TOOL, thing)
    return engine.history_read(target.facts)


def forbid(when, head='principal, action == Remit::Action::"crm/export_accounts", resource'):
    return f'@id("one") forbid({head}) when {{ {when} }};'


@pytest.mark.parametrize(
    ("when", "names"),
    [
        ("context.history.calls > 3", {"calls"}),
        ("context.history.calls > context.history.exports", {"calls", "exports"}),
        ("context.time.hour < 6 && (if context.history.more == 1 then true else false)", {"more"}),
        ("context.history has calls", {"calls"}),
        ("context.time.hour < 6", set()),
        ("true", set()),
    ],
    ids=["one", "two", "deep", "has", "others", "nothing"],
)
def test_each_fact_is_found_where_it_is_read(when, names):
    assert read(forbid(when)) == names


def test_the_record_as_a_whole_reads_every_fact():
    assert read(forbid("context.history == context.history")) == set(FACTS)


def test_policies_about_other_things_read_nothing_here():
    about = forbid("context.history.calls > 3")
    assert read(about, "get_account") == set()


def test_policies_about_everything_read_everywhere():
    text = forbid(
        "context.history.calls > 3", 'principal, action in Remit::Action::"call", resource'
    )
    assert read(text) == read(text, "get_account") == {"calls"}


def test_where_nothing_is_declared_nothing_is_read():
    assert read(forbid("true"), catalog=small_catalog()) == set()
