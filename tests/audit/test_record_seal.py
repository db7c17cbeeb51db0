"""What a record holds sealed opens in that record alone."""

import base64

import pytest

from remit.audit.record_seal import RecordSeal, RecordSealBrokenError

DECISION = "dec_06h006k76s71brxzmqgtq6g0fx"


@pytest.fixture
def seal() -> RecordSeal:
    return RecordSeal(b"k" * 32)


def test_what_is_sealed_opens_for_the_same_decision_and_tenant(seal):
    sealed = seal.seal(b"content", decision=DECISION, tenant="acme")
    assert seal.open(sealed, decision=DECISION, tenant="acme") == b"content"
    assert b"content" not in base64.urlsafe_b64decode(sealed[3:] + "==")


def test_it_opens_after_a_restart_and_for_several_writers():
    sealed = [
        RecordSeal(b"k" * 32).seal(b"%d" % n, decision=DECISION, tenant="acme") for n in range(3)
    ]
    opener = RecordSeal(b"k" * 32)
    assert [opener.open(one, decision=DECISION, tenant="acme") for one in sealed] == [
        b"0", b"1", b"2",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("decision", "tenant"), [("dec_another", "acme"), (DECISION, "globex"), ("", "")]
)
def test_in_another_record_or_tenant_it_does_not_open(seal, decision, tenant):
    sealed = seal.seal(b"content", decision=DECISION, tenant="acme")
    with pytest.raises(RecordSealBrokenError):
        seal.open(sealed, decision=decision, tenant=tenant)


def test_a_decision_and_a_tenant_cannot_be_cut_elsewhere(seal):
    """What binds is not the two words written one after the other."""
    sealed = seal.seal(b"content", decision="dec_1", tenant="acme")
    with pytest.raises(RecordSealBrokenError):
        seal.open(sealed, decision="dec_1a", tenant="cme")


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda one: one[:-2],
        lambda one: f"{one[:20]}{'A' if one[20] != 'A' else 'B'}{one[21:]}",
        lambda one: f"{one[:-1]}{'A' if one[-1] != 'A' else 'Q'}",
        lambda one: one.removeprefix("r1."),
        lambda one: f"r2.{one[3:]}",
        lambda _: "",
        lambda _: "r1.",
        lambda _: "r1.%%%",
        lambda _: f"r1.{'A' * 8}",
    ],
    ids=["cut", "salt", "tag", "bare", "version", "nothing", "empty", "no text", "short"],
)
def test_what_was_changed_does_not_open(seal, spoiled):
    sealed = seal.seal(b"content", decision=DECISION, tenant="acme")
    with pytest.raises(RecordSealBrokenError):
        seal.open(spoiled(sealed), decision=DECISION, tenant="acme")


def test_another_key_opens_nothing(seal):
    sealed = seal.seal(b"content", decision=DECISION, tenant="acme")
    with pytest.raises(RecordSealBrokenError):
        RecordSeal(b"x" * 32).open(sealed, decision=DECISION, tenant="acme")


def test_the_key_of_a_server_opens_what_its_guards_sealed_and_nothing_else(seal):
    guard = RecordSeal(seal.key_for("crm"))
    sealed = guard.seal(b"content", decision=DECISION, tenant="acme")
    assert seal.for_server("crm").open(sealed, decision=DECISION, tenant="acme") == b"content"
    for other in (seal, seal.for_server("payments")):
        with pytest.raises(RecordSealBrokenError):
            other.open(sealed, decision=DECISION, tenant="acme")
    with pytest.raises(RecordSealBrokenError):
        guard.open(
            seal.seal(b"content", decision=DECISION, tenant="acme"),
            decision=DECISION,
            tenant="acme",
        )


def test_no_nonce_is_used_twice_under_one_key(seal):
    heads = {
        base64.urlsafe_b64decode(sealed[3:] + "=" * (-len(sealed[3:]) % 4))[:24]
        for tenant in ("acme", "globex")
        for _ in range(500)
        for sealed in [seal.seal(b"same", decision=DECISION, tenant=tenant)]
    }
    assert len(heads) == 1_000


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        RecordSeal(b"short")
