"""Against `openssl ts`, an authority that we did not write."""

import shutil
import subprocess
from pathlib import Path

import pytest

from remit.model import TimestampAuthority
from remit.witness.asking import WitnessSilentError
from remit.witness.stamping import Stamping, StampingUnavailableError, stamped
from tests.witness.conftest import Log

pytest.importorskip("rfc3161_client")
OPENSSL = shutil.which("openssl")
pytestmark = pytest.mark.skipif(OPENSSL is None, reason="there is no openssl to be the authority")

CONFIG = """
[ req ]
distinguished_name = name
x509_extensions = root
prompt = no
[ name ]
CN = {name}
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
serial = {folder}/serial
crypto_device = builtin
signer_cert = {folder}/tsa.pem
signer_key = {folder}/tsa.key
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

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder = folder
        self.asked = 0
        self.answer: tuple[int, bytes] | None = None
        (folder / "serial").write_text("01\n")
        (folder / "conf").write_text(CONFIG.format(name="test", folder=folder))
        run = self._run
        new = ("req", "-config", "conf", "-newkey", "rsa:2048", "-nodes")
        run(*new, "-x509", "-days", "30", "-keyout", "root.key", "-out", "root.pem")
        run(*new, "-subj", "/CN=stamper", "-keyout", "tsa.key", "-out", "tsa.csr")
        signing = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "30")
        extensions = ("-extfile", "conf", "-extensions", "stamping")
        run("x509", "-req", "-in", "tsa.csr", *signing, *extensions, "-out", "tsa.pem")

    @property
    def roots(self) -> bytes:
        return (self.folder / "root.pem").read_bytes()

    async def send(self, body: bytes) -> tuple[int, bytes]:
        self.asked += 1
        if self.answer is not None:
            return self.answer
        (self.folder / "query").write_bytes(body)
        self._run("ts", "-reply", "-config", "conf", "-queryfile", "query", "-out", "reply")
        return 200, (self.folder / "reply").read_bytes()

    def holds(self, note: Path, token: Path) -> bool:
        """What `openssl` itself says of a token."""
        verified = subprocess.run(
            [OPENSSL, "ts", "-verify", "-data", note, "-in", token, "-CAfile", "root.pem",
             "-untrusted", "tsa.pem"],
            cwd=self.folder, capture_output=True, check=False,
        )  # fmt: skip
        return verified.returncode == 0

    def _run(self, *words: str) -> None:
        subprocess.run([OPENSSL, *words], cwd=self.folder, capture_output=True, check=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("authority") / "one")


@pytest.fixture
def authority(made):
    made.asked, made.answer = 0, None
    return made


NOTE = Log().note(5).encode()


async def test_a_token_over_the_note_is_taken_and_openssl_agrees(authority, tmp_path):
    token = await stamped(NOTE, send=authority.send, roots=authority.roots)
    (tmp_path / "note").write_bytes(NOTE)
    (tmp_path / "token").write_bytes(token)
    assert authority.holds(tmp_path / "note", tmp_path / "token")


async def test_a_token_of_before_is_not_taken_for_another_note_or_question(authority):
    token = await stamped(NOTE, send=authority.send, roots=authority.roots)
    authority.answer = (200, token)
    for note in (NOTE, NOTE + b"x"):
        with pytest.raises(StampingUnavailableError, match="does not hold"):
            await stamped(note, send=authority.send, roots=authority.roots)


async def test_an_authority_that_is_not_the_configured_one_is_not_believed(authority, tmp_path):
    other = Authority(tmp_path / "other")
    with pytest.raises(StampingUnavailableError, match="does not hold"):
        await stamped(NOTE, send=authority.send, roots=other.roots)


@pytest.mark.parametrize("answer", [b"", b"no", b"\x30\x03\x02\x01\x00"], ids=range(3))
async def test_an_answer_that_is_no_token_is_not_taken(authority, answer):
    authority.answer = (200, answer)
    with pytest.raises(StampingUnavailableError):
        await stamped(NOTE, send=authority.send, roots=authority.roots)


async def test_an_authority_that_is_out_of_order_has_not_answered(authority):
    authority.answer = (503, b"")
    with pytest.raises(WitnessSilentError, match="503"):
        await stamped(NOTE, send=authority.send, roots=authority.roots)


@pytest.mark.parametrize("roots", [b"", b"no certificate"], ids=["empty", "nonsense"])
async def test_without_roots_nothing_is_believed(authority, roots):
    with pytest.raises(StampingUnavailableError):
        await stamped(NOTE, send=authority.send, roots=roots)


class Source:
    """A log as it is read: its newest note."""

    def __init__(self) -> None:
        self.size = 5

    def checkpoint(self, log: str) -> str:
        return Log().note(self.size)


@pytest.fixture
def source():
    return Source()


@pytest.fixture
def stamping(authority, source, tmp_path, clock):
    where = TimestampAuthority(
        url="http://tsa", every=600, roots=str(authority.folder / "root.pem")
    )
    return Stamping(
        source,
        "remit/main",
        folder=tmp_path,
        authority=lambda: where,
        sender=lambda url: authority.send,
        clock=clock,
    )


async def test_what_the_log_has_come_to_is_stamped_once_in_a_while(
    stamping, authority, source, clock, tmp_path
):
    for _ in range(30):
        await stamping.look()
        clock.advance(60)
        source.size += 1
    kept = sorted(path.name for path in (tmp_path / "timestamps").iterdir())
    assert kept == [f"{size:020d}.{end}" for size in (5, 15, 25) for end in ("note", "tsr")]
    for note in (tmp_path / "timestamps").glob("*.note"):
        assert authority.holds(note, note.with_suffix(".tsr"))


async def test_a_log_that_does_not_grow_is_not_stamped_again(stamping, authority, clock):
    for _ in range(5):
        await stamping.look()
        clock.advance(700)
    assert authority.asked == 1


async def test_an_authority_that_fails_is_asked_again_and_told_of_once(
    stamping, authority, clock, tmp_path, capsys
):
    authority.answer = (500, b"")
    for _ in range(4):
        await stamping.look()
        clock.advance(61)
    authority.answer = None
    await stamping.look()
    assert len(list((tmp_path / "timestamps").iterdir())) == 2
    said = capsys.readouterr().out
    assert (said.count("not_stamped"), said.count("stamped_again")) == (1, 1)
