"""What `remit doctor` says of what the log is worth to others."""

from dataclasses import replace
from types import MappingProxyType

import pytest

from remit.cli.checkup import Level
from remit.cli.checkup.evidence import examine_evidence
from remit.model import (
    AuditRules,
    RemoteCopy,
    Retention,
    SinkRules,
    TimestampAuthority,
    Witness,
)
from remit.settings import Settings

WITNESS = Witness(name="acme", url="https://w.example", key="w+00000000+AAAA")
SINK = SinkRules(name="siem", kind="webhook")
WHOLE = AuditRules(witnesses=(WITNESS,), sinks=MappingProxyType({"siem": SINK}))


def said(rules: AuditRules, **settings: object) -> list[tuple[Level, str]]:
    chosen = Settings.model_validate(settings)
    return [(one.level, one.text) for one in examine_evidence(rules, chosen)]


def test_a_log_that_others_vouch_for_and_have_is_fine():
    assert {level for level, _ in said(WHOLE)} == {Level.FINE}


def test_out_of_the_box_it_says_what_nobody_would_notice():
    notes = [text for level, text in said(AuditRules()) if level is Level.NOTE]
    assert any("write it anew" in text for text in notes)
    assert any("nobody gets a copy" in text for text in notes)


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (replace(WHOLE, receipts=False), "no answer carries a receipt"),
        (replace(WHOLE, retention=Retention(records=86_400)), "less than a year: records"),
        (replace(WHOLE, retention=Retention(kinds={"decision": 9})), "less than a year: decision"),
        (replace(WHOLE, detectors_off=frozenset({"pan"})), "nothing looks for pan"),
    ],
)
def test_what_was_given_up_is_said_with_its_mend(rules, words):
    found = [one for one in examine_evidence(rules, Settings()) if words in one.text]
    assert [one.level for one in found] == [Level.NOTE]
    assert found[0].mend


def test_authorities_that_are_not_there_are_missed(tmp_path):
    stamps = TimestampAuthority(url="http://tsa.example", roots=str(tmp_path / "tsa.pem"))
    rules = replace(WHOLE, timestamps=stamps)
    assert Level.DOWN in {level for level, _ in said(rules)}
    (tmp_path / "tsa.pem").write_text("x")
    assert Level.DOWN not in {level for level, _ in said(rules)}


def test_calls_that_wait_for_a_copy_are_named():
    rules = replace(WHOLE, remote_copy=RemoteCopy(sink="siem", max_lag=5))
    assert any("wait for siem" in text for _, text in said(rules))


@pytest.mark.parametrize(
    ("settings", "inside"),
    [
        ({}, False),
        ({"database_url": "postgresql://db/remit"}, True),
        ({"database_url": "env:DATABASE_URL"}, True),
        ({"database_url": "postgresql://db/remit", "audit_store": "files"}, False),
        ({"database_url": "postgresql://db/remit", "audit_signer": "process"}, False),
        ({"database_url": "postgresql://db/remit", "audit_signer": "/run/signer/socket"}, False),
        ({"audit_signer": "inside"}, True),
    ],
)
def test_a_server_that_holds_the_key_of_its_log_is_noted_also_where_nobody_chose_it(
    tmp_path, settings, inside
):
    notes = [text for level, text in said(WHOLE, data=tmp_path, **settings) if level is Level.NOTE]
    assert any("holds the key" in text for text in notes) is inside


def test_what_a_server_that_runs_says_of_its_signer_counts():
    found = [one.text for one in examine_evidence(WHOLE, Settings(), signer="inside")]
    assert any("holds the key" in text for text in found)


def test_a_log_that_was_in_files_and_has_a_signer_keeps_it(tmp_path):
    (tmp_path / "signer").mkdir()
    settings = {"data": tmp_path, "database_url": "postgresql://db/remit"}
    assert {level for level, _ in said(WHOLE, **settings)} == {Level.FINE}


def test_how_long_records_are_kept_is_said():
    assert any("365 days" in text for _, text in said(WHOLE))
