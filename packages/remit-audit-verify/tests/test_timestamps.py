"""Tokens of `openssl ts`, an authority that we did not write."""

import shutil
import subprocess
import time

import pytest

from remit_audit_verify import timestamps
from remit_audit_verify.command import main
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.saying import render_report
from remit_audit_verify.timestamps import BadTimestampError, UnbelievedStampError, stamped_time
from remit_audit_verify.verify import verify_log

pytest.importorskip("rfc3161_client")
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to be the authority")

CONFIG = """
[ req ]
distinguished_name = name
x509_extensions = root
prompt = no
[ name ]
CN = test
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
subjectKeyIdentifier = hash
[ stamping ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[ tsa ]
default_tsa = one
[ one ]
serial = serial
crypto_device = builtin
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
accuracy = secs:1
ordering = no
tsa_name = no
ess_cert_id_chain = no
ess_cert_id_alg = sha256
"""


class Authority:
    """One made for a test, with a root of its own."""

    def __init__(self, folder, days: str = "30") -> None:
        folder.mkdir()
        self.folder = folder
        (folder / "serial").write_text("01\n")
        (folder / "conf").write_text(CONFIG)
        new = ("req", "-config", "conf", "-newkey", "rsa:2048", "-nodes")
        self._run(*new, "-x509", "-days", "30", "-keyout", "root.key", "-out", "root.pem")
        self._run(*new, "-subj", "/CN=stamper", "-keyout", "tsa.key", "-out", "tsa.csr")
        signing = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", days)
        extensions = ("-extfile", "conf", "-extensions", "stamping")
        self._run("x509", "-req", "-in", "tsa.csr", *signing, *extensions, "-out", "tsa.pem")

    @property
    def roots(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    def stamp(self, note: bytes) -> bytes:
        (self.folder / "note").write_bytes(note)
        self._run("ts", "-query", "-data", "note", "-sha256", "-cert", "-out", "query")
        self._run("ts", "-reply", "-config", "conf", "-queryfile", "query", "-out", "reply")
        return (self.folder / "reply").read_bytes()

    def _run(self, *arguments: str) -> None:
        subprocess.run([OPENSSL, *arguments], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture(scope="module")
def authority(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authorities") / "one")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authorities") / "other")


def keep(log, size: int, token: bytes | None) -> None:
    folder = log.folder / "timestamps"
    folder.mkdir(exist_ok=True)
    (folder / f"{size:020d}.note").write_text(log.note(size))
    if token is not None:
        (folder / f"{size:020d}.tsr").write_bytes(token)


@pytest.fixture
def log(make_log, authority):
    log = make_log(40)
    log.write([20, 40])
    keep(log, 20, authority.stamp(log.note(20).encode()))
    return log


def test_a_stamp_says_when_a_checkpoint_was_there(log, authority):
    report = verify_log(log.folder, evidence=Evidence(roots=authority.roots))
    # The authority's clock is of today, and the records after the stamp are not.
    assert report.exit_code == 1
    (stream,) = report.streams
    assert stream.stamped == 20
    assert abs(stream.stamped_at - time.time()) < 3_600
    assert stream.problems[0].kind == "time"
    assert stream.problems[0].sequence == 20


def test_records_that_are_no_older_than_the_stamp_are_valid(make_log, authority, begin):
    now_ms = int((time.time() - begin) * 1_000)
    log = make_log(20)
    for n in range(20):
        log.add(at_ms=now_ms + n)
    log.write([20, 40])
    keep(log, 20, authority.stamp(log.note(20).encode()))
    report = verify_log(log.folder, evidence=Evidence(roots=authority.roots))
    assert report.exit_code == 0, report
    assert "time stamp   20 records" in render_report(report)


def test_a_stamp_of_an_authority_that_nobody_believes_is_no_evidence(log, stranger):
    report = verify_log(log.folder, evidence=Evidence(roots=stranger.roots))
    assert report.exit_code == 2
    assert report.streams[0].problems[0].kind == "stamp"
    assert "not of an authority that is believed" in report.streams[0].problems[0].what


def test_a_stamp_by_a_certificate_that_had_expired_is_no_evidence(log, tmp_path):
    late = Authority(tmp_path / "late", days="-1")
    note = log.note(20).encode()
    token = late.stamp(note)
    with pytest.raises(UnbelievedStampError):
        stamped_time(note, token, late.roots)


@pytest.mark.parametrize("content", [b"", b"nonsense", b"-----BEGIN CERTIFICATE-----\n\n"])
def test_a_file_without_certificates_is_refused_and_blames_no_log(log, tmp_path, content, capsys):
    roots = tmp_path / "roots.pem"
    roots.write_bytes(content)
    assert main([str(log.folder), "--timestamps", str(roots)]) == 64
    assert "there are no certificates to believe" in capsys.readouterr().err


def test_certificates_that_stand_twice_in_a_file_are_believed_once(log, authority):
    report = verify_log(log.folder, evidence=Evidence(roots=authority.roots * 2))
    assert report.streams[0].stamped == 20


def test_without_certificates_stamped_notes_are_checkpoints_like_others(log):
    assert verify_log(log.folder).exit_code == 0
    (path,) = (log.folder / "timestamps").glob("*.note")
    path.write_text(path.read_text().replace("\n20\n", "\n21\n"))
    assert verify_log(log.folder).streams[0].problems[0].kind == "stamp"


def test_a_token_over_another_note_or_a_damaged_one_does_not_hold(log, authority):
    note = log.note(20).encode()
    token = authority.stamp(note)
    assert stamped_time(note, token, authority.roots)
    damaged = bytearray(token)
    damaged[-20] ^= 1
    for wrong in ((b"x" + note, token), (note, bytes(damaged)), (note, b""), (note, token[:-9])):
        with pytest.raises(BadTimestampError):
            stamped_time(*wrong, authority.roots)
    for roots in (b"", b"nonsense"):
        with pytest.raises(BadTimestampError):
            stamped_time(note, token, roots)


def test_a_note_under_another_name_is_none(log, authority):
    folder = log.folder / "timestamps"
    (path,) = folder.glob("*.note")
    path.rename(folder / f"{30:020d}.note")
    report = verify_log(log.folder, evidence=Evidence(roots=authority.roots))
    assert report.streams[0].problems[0].kind == "stamp"


def test_where_stamps_are_asked_for_and_there_are_none_evidence_is_missing(make_log, authority):
    log = make_log(5)
    evidence = Evidence(roots=authority.roots)
    assert verify_log(log.write(), evidence=evidence).exit_code == 2
    keep(log, 5, None)  # the process died before it had the token
    assert verify_log(log.folder, evidence=evidence).exit_code == 2
    assert verify_log(log.folder).exit_code == 0


def test_without_the_extra_a_stamp_is_an_error_and_no_verdict(log, authority, monkeypatch, capsys):
    monkeypatch.setattr(timestamps, "_CLIENT", None)
    roots = authority.folder / "root.pem"
    assert main([str(log.folder), "--timestamps", str(roots)]) == 64
    assert "remit-audit-verify[timestamps]" in capsys.readouterr().err
    with pytest.raises(BadTimestampError, match="package"):
        stamped_time(b"", b"", authority.roots)
    assert main([str(log.folder)]) == 0
