"""One digest of one call: whatever is another call has another, and nobody without the key has any."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from remit.approvals.very_call import digest_of_access, digest_of_call
from remit.guard.elevations import Wanted
from remit.ids import GrantId
from remit.model import Sensitivity
from remit.policy import ResourceKind
from remit.testing.catalog import ACME, PAYMENTS, PROD
from remit.tokens import AccessToken, Delegate

KEY = b"k" * 32
TOKEN = AccessToken(
    iss="i", sub="usr_1", aud="a", client_id="cli_1", jti="j", iat=1, exp=2, scopes=(), grant_id="gnt_1",
    agent_id="assistant", organization_id=ACME, environment=PROD, sensitivity=Sensitivity.HIGH,
)  # fmt: skip
WANTED = Wanted(
    token=TOKEN, thing=(PAYMENTS, ResourceKind.TOOL, "refund"), definition="d", arguments={"a": 1, "b": {"c": [1, 2]}},
    typed={}, needs=(), justification=None, decision_id="dec_1", at=1,
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=8),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.text(max_size=4), one, max_size=3),
    max_leaves=8,
)


def _digest(**changes):
    return digest_of_call(KEY, replace(WANTED, **changes))


def test_whatever_is_another_call_has_another_digest():
    tokens = [
        {"sub": "usr_2"}, {"agent_id": "job"}, {"client_id": "cli_2"}, {"organization_id": "globex"},
        {"environment": "staging"}, {"actors": (Delegate("x", "y"),)},
    ]  # fmt: skip
    calls = [
        {"thing": ("crm", ResourceKind.TOOL, "refund")},
        {"thing": (PAYMENTS, ResourceKind.PROMPT, "refund")},
        {"thing": (PAYMENTS, ResourceKind.TOOL, "other")},
        {"definition": "e"},
        {"definition": None},
        {"arguments": {"a": 2, "b": {"c": [1, 2]}}},
        {"arguments": {"a": "1", "b": {"c": [1, 2]}}},
        {"arguments": {"a": 1, "b": {"c": [2, 1]}}},
        {"arguments": {}},
        *({"token": replace(TOKEN, **one)} for one in tokens),
    ]
    digests = [_digest(), *(_digest(**one) for one in calls)]
    assert len(set(digests)) == len(digests)


def test_what_is_no_part_of_the_call_changes_nothing():
    same = [
        {"arguments": {"b": {"c": [1, 2]}, "a": 1}},
        {"justification": "why"},
        {"decision_id": "dec_2"},
        {"at": 99},
        {"token": replace(TOKEN, jti="other", exp=3, grant_id=GrantId("gnt_2"), scopes=("x:y",))},
    ]
    assert {_digest(**one) for one in same} == {_digest()}


def test_another_installation_has_another_digest_of_the_same_call():
    assert digest_of_call(b"z" * 32, WANTED) != _digest()


def test_an_access_is_no_call():
    assert digest_of_access(KEY, "acc_1") != digest_of_access(KEY, "acc_2")
    assert digest_of_access(KEY, "acc_1") != _digest()


@given(
    st.dictionaries(st.text(max_size=4), JSON, max_size=3),
    st.dictionaries(st.text(max_size=4), JSON, max_size=3),
)
def test_equal_arguments_and_no_others_have_equal_digests(one, other):
    def same(left, right):
        if isinstance(left, dict) and isinstance(right, dict):
            return left.keys() == right.keys() and all(same(left[k], right[k]) for k in left)
        if isinstance(left, list) and isinstance(right, list):
            return len(left) == len(right) and all(map(same, left, right))
        return type(left) is type(right) and left == right

    assert (_digest(arguments=one) == _digest(arguments=other)) is same(one, other)
