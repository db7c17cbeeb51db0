import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify.proof import BadProofError, UnprovenError, check_proof, parse_proof, prove
from remit_audit_verify.stream_files import segment_name


@pytest.fixture(params=["tiles", "hashes"])
def log(make_log, request):
    log = make_log(700)
    log.write([300, 600], witnessed={500: 500}, segments=(0, 400))
    if request.param == "tiles":
        log.write_tiles()
    return log


@pytest.mark.parametrize("index", [0, 1, 255, 256, 399, 400, 499])
def test_a_record_is_proven_under_what_witnesses_signed(log, policy, index):
    proof = parse_proof(str(prove(log.folder, index)))
    proven = check_proof(proof, keys=[log.verifier], policy=policy)
    assert (proven.log, proven.index, proven.size) == (log.origin, index, 500)
    assert proven.record == log.lines[index]
    assert proven.witnessed.names == ("w",)


def test_a_record_that_no_witness_saw_is_proven_under_the_logs_own_checkpoint(log, policy):
    proof = parse_proof(str(prove(log.folder, 550)))
    assert check_proof(proof, keys=[log.verifier]).size == 600
    with pytest.raises(BadProofError, match="too few"):
        check_proof(proof, keys=[log.verifier], policy=policy)


@pytest.mark.parametrize("index", [600, 699, 700, 10**12])
def test_what_no_checkpoint_signs_cannot_be_proven(log, index):
    with pytest.raises(BadProofError, match="no checkpoint"):
        prove(log.folder, index)


def test_a_record_that_was_changed_cannot_be_proven(log):
    path = log.folder / segment_name(0)
    path.write_bytes(path.read_bytes().replace(b"because 17", b"because 71", 1))
    with pytest.raises(BadProofError, match="verify it"):
        prove(log.folder, 17)


def test_of_a_pruned_log_what_is_left_is_proven_from_tiles(make_log):
    log = make_log(700)
    log.write(segments=(0, 512))
    log.write_tiles()
    (log.folder / segment_name(0)).unlink()
    assert check_proof(prove(log.folder, 600), keys=[log.verifier]).index == 600
    with pytest.raises(BadProofError, match="not here"):
        prove(log.folder, 17)
    shutil.rmtree(log.folder / "tile")
    with pytest.raises(BadProofError, match="no tiles"):
        prove(log.folder, 600)


def test_the_end_of_a_log_that_is_in_no_tile_is_read_from_its_records(make_log, monkeypatch):
    log = make_log(700)
    log.write(segments=(0, 500))
    log.write_tiles()
    for path in (log.folder / "tile" / "0").glob("*.p"):
        shutil.rmtree(path)
    monkeypatch.setattr("remit_audit_verify.proof._hashed", None)
    for index in (0, 300, 511, 512, 699):
        assert check_proof(prove(log.folder, index), keys=[log.verifier]).index == index


@pytest.fixture
def text(make_log):
    log = make_log(20)
    log.write()
    return str(prove(log.folder, 7)), log


def test_a_proof_is_laid_out_as_the_specification_says(text):
    lines = text[0].split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1"
    assert lines[1].startswith("extra ")
    assert lines[2] == "index 7"
    assert lines[3 + 5] == ""
    assert lines[9:11] == ["example.test/main", "20"]
    assert str(parse_proof(text[0])) == text[0]


def test_a_proof_without_its_record_is_checked_with_one_that_is_handed_over(text):
    proof, log = parse_proof("\n".join(text[0].split("\n")[:1] + text[0].split("\n")[2:])), text[1]
    assert proof.record is None
    assert check_proof(proof, keys=[log.verifier], record=log.lines[7]).record == log.lines[7]
    for record in (None, log.lines[8], log.lines[7] + b" "):
        with pytest.raises(BadProofError):
            check_proof(proof, keys=[log.verifier], record=record)


def test_a_proof_of_a_log_that_nobody_pinned_is_none(text, make_log):
    for keys in ([make_log(1, "other").verifier], []):
        with pytest.raises(UnprovenError, match="no key that is believed"):
            check_proof(parse_proof(text[0]), keys=keys)
    stranger = make_log(1, key=Ed25519PrivateKey.generate())
    with pytest.raises(BadProofError, match="known key") as refused:
        check_proof(parse_proof(text[0]), keys=[stranger.verifier])
    assert not isinstance(refused.value, UnprovenError)


def test_every_changed_character_spoils_a_proof(text):
    whole, log = text
    for at in range(len(whole)):
        changed = whole[:at] + ("A" if whole[at] != "A" else "B") + whole[at + 1 :]
        with pytest.raises(BadProofError):
            check_proof(parse_proof(changed), keys=[log.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v2\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 00\n\n",
        "c2sp.org/tlog-proof@v1\nindex -1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n",
        "c2sp.org/tlog-proof@v1\nextra !!\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nextra AB==\nindex 0\n\n",
        "c2sp.org/tlog-proof@v1\nindex 0\n" + ("A" * 43 + "=\n") * 65 + "\n",
        "x" * 2_000_000,
    ],
)
def test_what_is_no_proof_is_refused(text):
    with pytest.raises(BadProofError):
        parse_proof(text)
