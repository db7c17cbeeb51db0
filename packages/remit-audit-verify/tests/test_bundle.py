import io
import zipfile

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify.bundle import (
    BadBundleError,
    BundledRecord,
    is_bundle,
    verify_bundle,
    write_bundle,
)
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.note import VerifierKey
from remit_audit_verify.tree import inclusion_proof


def bundled(log, numbers):
    leaves = log.leaves
    return [BundledRecord(log.origin, n, log.lines[n], inclusion_proof(n, leaves)) for n in numbers]


@pytest.fixture
def logs(make_log):
    return make_log(30, "one"), make_log(9, "two")


@pytest.fixture
def bundle(logs, tmp_path):
    one, two = logs
    path = tmp_path / "found.zip"
    records = [*bundled(one, [3, 4, 29]), *bundled(two, [0])]
    with path.open("wb") as file:
        count = write_bundle(
            file,
            records,
            notes=[one.note(30, witnessed=31), two.note(9, witnessed=10)],
            keys=[one.verifier, two.verifier],
            about={"query": {"grant": "gra_1"}},
        )
    assert count == 4
    return path


def rewritten(path, name, change):
    """The bundle, with what is in `name` changed."""
    with zipfile.ZipFile(path) as bundle:
        parts = {one: bundle.read(one) for one in bundle.namelist()}
    held = parts[name]
    parts[name] = change(held)
    assert parts[name] != held
    with zipfile.ZipFile(path, "w") as bundle:
        for one, content in parts.items():
            bundle.writestr(one, content)
    return path


def test_every_record_of_a_bundle_is_shown_to_be_in_its_log(bundle, logs, policy):
    keys = [str(log.verifier) for log in logs]
    assert is_bundle(bundle)
    report = verify_bundle(bundle, keys=keys, evidence=Evidence(policy=policy))
    assert report.exit_code == 0, report
    assert [(one.origin, one.records, one.proven, one.witnessed) for one in report.streams] == [
        ("example.test/one", 3, 3, 30),
        ("example.test/two", 1, 1, 9),
    ]
    assert "not that there are no others" in report.notes[0]


def test_the_same_records_make_the_same_bundle(logs):
    made = []
    for _ in range(2):
        file = io.BytesIO()
        records = bundled(logs[0], [3])
        write_bundle(file, records, notes=[logs[0].note(30)], keys=[logs[0].verifier], about={})
        made.append(file.getvalue())
    assert made[0] == made[1]


@pytest.mark.parametrize(
    ("name", "change", "kind"),
    [
        ("records.jsonl", lambda held: held.replace(b"because 4", b"because 5"), "root"),
        ("records.jsonl", lambda held: held.split(b"\n", 1)[1] + b"{}\n", "root"),
        ("records.jsonl", lambda held: held.rpartition(b"{")[0], "root"),
        ("proofs.jsonl", lambda held: held.replace(b'"seq":4', b'"seq":5'), "root"),
        (
            "proofs.jsonl",
            lambda held: held.replace(b"example.test/one", b"example.test/two"),
            "root",
        ),
        ("proofs.jsonl", lambda held: held.replace(b"{", b"[", 1), "framing"),
        ("checkpoints", lambda held: held.replace(b"\n30\n", b"\n31\n"), "checkpoint"),
    ],
)
def test_what_was_changed_in_a_bundle_is_detected(bundle, name, change, kind):
    report = verify_bundle(rewritten(bundle, name, change))
    assert report.exit_code == 1
    problems = [problem.kind for stream in report.streams for problem in stream.problems]
    assert kind in problems


def test_a_record_that_was_taken_out_is_missed_when_the_count_was_not_changed(bundle):
    rewritten(bundle, "records.jsonl", lambda held: held.split(b"\n", 1)[1])
    rewritten(bundle, "proofs.jsonl", lambda held: held.split(b"\n", 1)[1])
    report = verify_bundle(bundle)
    assert report.exit_code == 2
    assert "names 4 records and has 3" in report.failure


def test_a_key_that_was_pinned_counts_and_not_the_one_in_the_bundle(bundle, logs):
    other = VerifierKey.of("example.test/one", Ed25519PrivateKey.generate())
    assert verify_bundle(bundle, keys=[str(other)]).exit_code == 1
    assert verify_bundle(bundle, keys=[str(logs[0].verifier)]).exit_code == 2
    report = verify_bundle(bundle)
    assert not report.streams[0].pinned


def test_without_the_witnesses_that_are_demanded_there_is_not_enough_evidence(
    logs, tmp_path, policy
):
    path = tmp_path / "bundle.zip"
    with path.open("wb") as file:
        records = bundled(logs[0], [3])
        write_bundle(file, records, notes=[logs[0].note(30)], keys=[logs[0].verifier], about={})
    assert verify_bundle(path, evidence=Evidence(policy=policy)).exit_code == 2
    assert verify_bundle(path).exit_code == 0


def test_a_log_without_its_note_is_not_enough_evidence(logs, tmp_path):
    path = tmp_path / "bundle.zip"
    with path.open("wb") as file:
        write_bundle(file, bundled(logs[0], [3, 4]), notes=[], keys=[], about={})
    report = verify_bundle(path)
    assert report.exit_code == 2
    assert len(report.streams[0].problems) == 1


@pytest.mark.parametrize("name", ["bundle.json", "records.jsonl", "proofs.jsonl", "checkpoints"])
def test_a_bundle_without_one_of_its_parts_is_none(bundle, name):
    with zipfile.ZipFile(bundle) as held:
        parts = {one: held.read(one) for one in held.namelist() if one != name}
    with zipfile.ZipFile(bundle, "w") as made:
        for one, content in parts.items():
            made.writestr(one, content)
    with pytest.raises(BadBundleError):
        verify_bundle(bundle)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bundle.json", b"nonsense"),
        ("bundle.json", b"[]"),
        ("bundle.json", b'{"v":2}'),
        ("log.pub", b"nonsense\n"),
        ("checkpoints", b"nonsense\n"),
        ("checkpoints", b"\xff\n\xe2\x80\x94 \n\n"),
    ],
)
def test_a_part_that_cannot_be_read_is_refused(bundle, name, content):
    rewritten(bundle, name, lambda _: content)
    with pytest.raises(BadBundleError):
        verify_bundle(bundle)


def test_a_damaged_file_is_refused(bundle, tmp_path):
    content = bytearray(bundle.read_bytes())
    content[40:60] = bytes(20)
    bundle.write_bytes(content)
    with pytest.raises(BadBundleError):
        verify_bundle(bundle)
    (tmp_path / "text").write_text("no bundle")
    assert not is_bundle(tmp_path / "text")
    assert not is_bundle(tmp_path)
