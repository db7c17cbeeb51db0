import json
import zipfile
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify.bundle import BadBundleError, is_bundle, verify_bundle
from remit_audit_verify.command import main
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.note import VerifierKey
from remit_audit_verify.proof import Proof
from remit_audit_verify.receipts import Receipt
from remit_audit_verify.tree import inclusion_proof


@pytest.fixture
def logs(make_log):
    return make_log(30, "one"), make_log(9, "two")


def parts_of(logs) -> dict[str, bytes]:
    """What a bundle of some records holds, but for the manifest's digests."""
    one, two = logs
    chosen = [(one, 3), (one, 4), (one, 29), (two, 0)]
    parts, listed = {}, []
    for log, number in chosen:
        size = len(log.lines)
        note = log.note(size, witnessed=size + 1)
        path = tuple(inclusion_proof(number, log.leaves))
        name = f"proofs/{log.folder.name}/{number}.tlog-proof"
        parts[name] = str(Proof(number, path, note, log.lines[number])).encode()
        listed.append({"log": log.origin, "seq": number, "proof": name})
    parts["records.jsonl"] = b"".join(log.lines[number] + b"\n" for log, number in chosen)
    parts |= {f"keys/{log.folder.name}.pub": f"{log.verifier}\n".encode() for log in logs}
    parts["manifest.json"] = json.dumps({"v": 1, "records": listed}).encode()
    return parts


def pack(path, parts: dict[str, bytes], *, honest: bool = True):
    """The ZIP file of `parts`, with digests that fit."""
    parts = dict(parts)
    if honest and parts.get("manifest.json", b"x").startswith(b'{"v'):
        manifest = json.loads(parts["manifest.json"])
        manifest["files"] = {
            name: sha256(content).hexdigest()
            for name, content in parts.items()
            if name != "manifest.json"
        }
        parts["manifest.json"] = json.dumps(manifest).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for name, content in parts.items():
            bundle.writestr(name, content)
    return path


@pytest.fixture
def path(tmp_path):
    return tmp_path / "found.zip"


def test_every_record_of_a_bundle_is_shown_to_be_in_its_log(path, logs, policy):
    pack(path, parts_of(logs))
    assert is_bundle(path)
    keys = [str(log.verifier) for log in logs]
    report = verify_bundle(path, keys=keys, evidence=Evidence(policy=policy))
    assert report.exit_code == 0, report
    assert [(one.origin, one.records, one.proven, one.witnesses) for one in report.streams] == [
        ("example.test/one", 3, 3, ("w",)),
        ("example.test/two", 1, 1, ("w",)),
    ]
    assert "not that there are no others" in report.notes[0]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("records.jsonl", b"because 4", b"because 5"),
        ("records.jsonl", b'"seq":29', b'"seq":28'),
        ("records.jsonl", b'"client":null', b'"client": null'),
        ("proofs/one/4.tlog-proof", b"index 4", b"index 5"),
        ("proofs/one/4.tlog-proof", b"\n30\n", b"\n31\n"),
        ("proofs/one/4.tlog-proof", b"c2sp", b"C2sp"),
        ("manifest.json", b'"seq": 4', b'"seq": 5'),
        ("manifest.json", b"proofs/one/4.", b"proofs/one/3."),
    ],
)
def test_what_was_changed_in_a_bundle_is_detected(path, logs, name, old, new):
    parts = parts_of(logs)
    assert old in parts[name]
    parts[name] = parts[name].replace(old, new, 1)
    report = verify_bundle(pack(path, parts))
    assert report.exit_code == 1, report
    assert {problem.kind for stream in report.streams for problem in stream.problems} == {"root"}


def test_a_file_that_was_damaged_on_the_way_is_noticed(path, logs):
    parts = parts_of(logs)
    manifest = json.loads(parts["manifest.json"])
    manifest["files"] = dict.fromkeys(parts, "0" * 64)
    parts["manifest.json"] = json.dumps(manifest).encode()
    report = verify_bundle(pack(path, parts, honest=False))
    assert report.exit_code == 2
    assert "is not the file that the manifest names" in report.failure


def test_a_record_that_was_taken_out_is_missed_when_the_manifest_still_has_it(path, logs):
    parts = parts_of(logs)
    parts["records.jsonl"] = parts["records.jsonl"].rpartition(b'{"actor"')[0]
    report = verify_bundle(pack(path, parts))
    assert report.exit_code == 2
    assert "names 4 records and has 3" in report.failure


def test_a_record_without_a_proof_is_not_shown(path, logs):
    parts = parts_of(logs)
    manifest = json.loads(parts["manifest.json"])
    manifest["records"][1]["proof"] = None
    parts["manifest.json"] = json.dumps(manifest).encode()
    report = verify_bundle(pack(path, parts))
    assert report.exit_code == 2
    assert report.streams[0].problems[0].sequence == 4


def test_a_key_that_was_pinned_counts_and_not_the_one_in_the_bundle(path, logs):
    pack(path, parts_of(logs))
    other = VerifierKey.of("example.test/one", Ed25519PrivateKey.generate())
    assert verify_bundle(path, keys=[str(other)]).exit_code == 1
    assert verify_bundle(path, keys=[str(logs[0].verifier)]).exit_code == 2
    assert not verify_bundle(path).streams[0].pinned


def test_without_the_witnesses_that_are_demanded_nothing_is_shown(path, logs, policy):
    parts = parts_of(logs)
    for name in list(parts):
        if name.startswith("proofs"):
            lines = parts[name].decode().split("\n")
            parts[name] = "\n".join(one for one in lines if "witness.test" not in one).encode()
    pack(path, parts)
    assert verify_bundle(path).exit_code == 0
    report = verify_bundle(path, evidence=Evidence(policy=policy))
    assert report.exit_code == 2
    assert "too few witnesses" in report.streams[0].problems[0].what


def test_a_proof_that_was_taken_out_is_missed(path, logs):
    parts = parts_of(logs)
    del parts["proofs/one/4.tlog-proof"]
    report = verify_bundle(pack(path, parts))
    assert report.exit_code == 2
    assert report.streams[0].problems[0].what == "its proof is missing"


def test_a_file_that_the_manifest_names_and_that_was_taken_out_is_missed(path, logs):
    parts = parts_of(logs)
    names = dict.fromkeys([*parts, "README.txt"], "0" * 64)
    names |= {name: sha256(content).hexdigest() for name, content in parts.items()}
    manifest = {**json.loads(parts["manifest.json"]), "files": names}
    parts["manifest.json"] = json.dumps(manifest).encode()
    report = verify_bundle(pack(path, parts, honest=False))
    assert report.exit_code == 2
    assert report.failure == "`'README.txt'`, which the manifest names, is missing"


def test_the_newest_notes_are_checked_too(path, logs):
    one, two = logs
    parts = parts_of(logs) | {"checkpoints/one.txt": one.note(30).encode()}
    assert verify_bundle(pack(path, parts)).exit_code == 0
    forged = one.note(30).replace("\n30\n", "\n31\n").encode()
    report = verify_bundle(pack(path, parts | {"checkpoints/one.txt": forged}))
    assert report.exit_code == 1
    assert report.streams[0].problems[0].kind == "checkpoint"
    two.origin = "example.test/three"
    strange = parts | {"checkpoints/three.txt": two.note(9).encode()}
    assert "is of no log that has records here" in verify_bundle(pack(path, strange)).failure


def test_a_log_that_shows_two_trees_of_one_size_is_caught_in_a_bundle(path, logs):
    one, _ = logs
    parts = parts_of(logs)
    one.lines[29] = one.lines[29].replace(b"because 29", b"because it")
    parts["checkpoints/one.txt"] = one.note(30).encode()
    report = verify_bundle(pack(path, parts))
    assert report.exit_code == 1
    assert "two checkpoints of one size" in report.streams[0].problems[0].what


def test_receipts_are_held_against_the_records_of_a_bundle(path, logs):
    one, _ = logs
    pack(path, parts_of(logs))
    right = Receipt(one.origin, 4, one.leaves[4])
    report = verify_bundle(path, evidence=Evidence(receipts=(right,)))
    assert (report.exit_code, report.streams[0].receipts) == (0, 1)
    wrong = Receipt(one.origin, 4, one.leaves[5])
    report = verify_bundle(path, evidence=Evidence(receipts=(wrong,)))
    assert report.exit_code == 1
    assert report.streams[0].problems[0].kind == "receipt"


def test_what_only_a_whole_log_shows_is_not_asked_of_a_bundle(path, logs, tmp_path, capsys):
    pack(path, parts_of(logs))
    kept = tmp_path / "kept"
    kept.write_text(logs[0].note(5))
    assert main([str(path), "--since", str(kept)]) == 64
    assert main([str(path), "--max-age", "1h"]) == 64
    assert "not of a bundle" in capsys.readouterr().err
    assert main([str(path)]) == 0


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_bundle_in_another_packing_is_refused(path, logs, method):
    with zipfile.ZipFile(path, "w", method) as bundle:
        for name, content in parts_of(logs).items():
            bundle.writestr(name, content)
    with pytest.raises(BadBundleError, match="packed"):
        verify_bundle(path)


def test_a_bundle_that_unpacks_without_end_is_refused_before_it_is_unpacked(path, logs):
    parts = parts_of(logs) | {f"proofs/{n}": bytes(1 << 23) for n in range(9)}
    with pytest.raises(BadBundleError, match="far more than it is"):
        verify_bundle(pack(path, parts))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_bundle_in_which_two_readers_could_see_two_is_refused(path, logs):
    with zipfile.ZipFile(pack(path, parts_of(logs)), "a") as bundle:
        bundle.writestr("records.jsonl", b"")
    with pytest.raises(BadBundleError, match="one name"):
        verify_bundle(path)


def test_names_in_a_bundle_lead_nowhere(path, logs, tmp_path):
    parts = parts_of(logs)
    parts["../../escaped"] = parts["/escaped"] = b"x"
    link = zipfile.ZipInfo("keys/link")
    link.external_attr = 0o120777 << 16
    manifest = json.loads(parts["manifest.json"])
    manifest["records"][0]["proof"] = "../../escaped"
    parts["manifest.json"] = json.dumps(manifest).encode()
    pack(path, parts)
    before = sorted(tmp_path.rglob("*"))
    assert verify_bundle(path).exit_code == 1
    assert sorted(tmp_path.rglob("*")) == before
    with zipfile.ZipFile(path, "a") as bundle:
        bundle.writestr(link, "/etc/passwd")
    with pytest.raises(BadBundleError, match="holds what is no key"):
        verify_bundle(path)


def test_progress_is_told_in_bytes_and_comes_to_an_end(path, logs):
    told = []
    pack(path, parts_of(logs))
    verify_bundle(path, progress=lambda done, total: told.append((done, total)))
    assert told
    assert all(done <= total for done, total in told)


@pytest.mark.parametrize("name", ["manifest.json", "records.jsonl"])
def test_a_bundle_without_one_of_its_parts_is_none(path, logs, name):
    parts = parts_of(logs)
    del parts[name]
    with pytest.raises(BadBundleError):
        verify_bundle(pack(path, parts))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("manifest.json", b"nonsense"),
        ("manifest.json", b"[" * 100_000),
        ("manifest.json", b"[]"),
        ("manifest.json", b'{"v":2,"records":[]}'),
        ("manifest.json", b'{"v":1}'),
        ("manifest.json", b'{"v":1,"records":[1,2,3,4]}'),
        ("keys/one.pub", b"nonsense\n"),
        ("keys/one.pub", b"\xff"),
    ],
)
def test_a_part_that_cannot_be_read_is_refused(path, logs, name, content):
    with pytest.raises(BadBundleError):
        verify_bundle(pack(path, {**parts_of(logs), name: content}))


def test_a_damaged_file_is_refused(path, logs, tmp_path):
    content = bytearray(pack(path, parts_of(logs)).read_bytes())
    content[40:60] = bytes(20)
    path.write_bytes(content)
    with pytest.raises(BadBundleError):
        verify_bundle(path)
    (tmp_path / "text").write_text("no bundle")
    assert not is_bundle(tmp_path / "text")
    assert not is_bundle(tmp_path)
