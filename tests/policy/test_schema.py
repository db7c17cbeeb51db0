from cedarpy import Schema

from remit.canonical import canonical_text
from remit.policy.schema import schema_of


def actions(desk):
    return schema_of(desk.catalog)["Remit"]["actions"]


def arguments(action):
    return action["appliesTo"]["context"]["attributes"]["arguments"]["attributes"]


def test_cedar_reads_the_schema(desk):
    assert "action" in str(Schema.from_json_str(canonical_text(schema_of(desk.catalog))))


def test_everything_that_can_be_called_has_an_action(desk):
    names = set(actions(desk))
    assert {
        "call", "issue", "read", "export", "server/crm", "server/payments", "crm/get_account",
        "payments/refund", "crm/resource/crm://schema", "crm/resource/crm://accounts/{id}",
        "crm/prompt/summary",
    } <= names  # fmt: skip


def test_an_action_stands_in_its_operation_its_server_and_call(desk):
    groups = {group["id"] for group in actions(desk)["payments/refund"]["memberOf"]}
    assert groups == {"write", "server/payments", "call"}


def test_a_required_argument_is_a_required_attribute(desk):
    declared = arguments(actions(desk)["crm/update_account"])
    assert "required" not in declared["account"]
    assert declared["score"]["required"] is False
    assert declared["tags"]["type"] == "Set"
    assert arguments(actions(desk)["payments/refund"])["amount"] == {"type": "Money"}


def test_a_call_always_has_arguments_and_issuance_never(desk):
    assert arguments(actions(desk)["crm/prompt/summary"]) == {}
    assert set(arguments(actions(desk)["crm/resource/crm://schema"])) == {"uri"}
    assert "arguments" not in actions(desk)["issue"]["appliesTo"]["context"]["attributes"]
