from concurrent.futures import ThreadPoolExecutor

import pytest

from remit.audit.record_seal import RecordKeys, RecordSeal, RecordSealBrokenError, key_of
from remit.audit.subject_keys import SubjectKeys, month_of
from remit.clock import EpochSeconds
from remit.testing.clock import FixedClock

SECRET = b"s" * 32


def sealing(clock=None):
    keys = SubjectKeys(clock or FixedClock())
    return keys, RecordSeal(SECRET, writers=keys)


def seal(sealer, content=b"x", *, decision="d", tenant="acme", subject="u"):
    return sealer.seal(content, decision=decision, tenant=tenant, subject=subject)


def opening(keys):
    return RecordSeal(RecordKeys(SECRET, {one.id: one.key for one in keys.waiting()}))


def test_each_tenant_subject_and_month_has_a_key_of_its_own():
    clock = FixedClock()
    keys, sealer = sealing(clock)
    ids = [
        key_of(seal(sealer, tenant=tenant, subject=subject)) for tenant in "ab" for subject in "xy"
    ]
    assert len(set(ids)) == 4
    assert key_of(seal(sealer, tenant="a", subject="x")) == ids[0]
    clock.advance(31 * 86_400)
    assert key_of(seal(sealer, tenant="a", subject="x")) != ids[0]
    assert [one.owner.month for one in keys.waiting()] == ["2026-01"] * 4 + ["2026-02"]


def test_it_opens_for_the_same_decision_and_tenant_and_nothing_else():
    keys, sealer = sealing()
    sealed = seal(sealer, b"content")
    assert opening(keys).open(sealed, decision="d", tenant="acme") == b"content"
    for other in ({"decision": "e", "tenant": "acme"}, {"decision": "d", "tenant": "globex"}):
        with pytest.raises(RecordSealBrokenError):
            opening(keys).open(sealed, **other)
    with pytest.raises(RecordSealBrokenError, match="destroyed"):
        RecordSeal(SECRET).open(sealed, decision="d", tenant="acme")


def test_a_changed_bit_is_noticed():
    keys, sealer = sealing()
    sealed = seal(sealer, b"content")
    opener = opening(keys)
    for place in range(3, len(sealed)):
        other = "A" if sealed[place] != "A" else "B"
        changed = sealed[:place] + other + sealed[place + 1 :]
        try:
            assert opener.open(changed, decision="d", tenant="acme") == b"content"
        except RecordSealBrokenError:
            continue
        assert place == len(sealed) - 1  # the last character has bits that mean nothing


def test_what_was_sealed_before_subjects_had_keys_still_opens():
    before = RecordSeal(SECRET).seal(b"old", decision="d", tenant="acme")
    keys, sealer = sealing()
    assert before.startswith("r1.")
    assert key_of(before) is None
    assert opening(keys).open(before, decision="d", tenant="acme") == b"old"
    assert sealer.seal(b"about nobody", decision="d", tenant="acme").startswith("r1.")


def test_no_two_seals_under_one_key_share_a_nonce_whoever_seals():
    _, sealer = sealing()
    with ThreadPoolExecutor(8) as pool:
        sealed = list(pool.map(lambda number: seal(sealer, b"%d" % number), range(2_000)))
    beginnings = {one[:35] for one in sealed}
    assert len(beginnings) == 2_000
    assert len({key_of(one) for one in sealed}) <= 8


def test_what_is_no_key_has_no_name():
    assert key_of("r2.*") is None
    assert key_of("r3.AAAA") is None


def test_a_month_ends_when_the_next_begins():
    assert month_of(EpochSeconds(1_767_225_599)) == ("2025-12", 1_767_225_600)
    assert month_of(EpochSeconds(1_767_225_600)) == ("2026-01", 1_769_904_000)
    assert month_of(EpochSeconds(1_709_164_800))[0] == "2024-02"
