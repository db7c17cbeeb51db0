from remit.model import MANAGEMENT_OPERATIONS, Operation
from remit.policy import ResourceKind
from remit.policy.vocabulary import action_name, callable_things, group_names


def test_an_action_is_named_for_what_it_uses():
    assert action_name(ResourceKind.TOOL, "crm", "get") == "crm/get"
    assert action_name(ResourceKind.RESOURCE, "crm", "crm://x") == "crm/resource/crm://x"
    assert action_name(ResourceKind.PROMPT, "crm", "sum") == "crm/prompt/sum"
    assert action_name(ResourceKind.SERVER, "crm", "crm") == "issue"


def test_the_groups_of_an_action():
    assert group_names("crm", Operation.EXPORT) == ("export", "server/crm", "call")


def test_everything_in_the_catalog_is_callable_once(desk):
    things = [thing.action for thing in callable_things(desk.catalog)]
    assert len(things) == len(set(things)) == 8 + len(MANAGEMENT_OPERATIONS)
