"""The master key: made once, private, and never shown."""

import hmac
import os
from base64 import b64encode, urlsafe_b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest

from remit.secrets import MasterKey, MasterKeyError

KEY = bytes(range(200, 232))


def test_the_environment_goes_before_the_file(tmp_path):
    loaded = MasterKey.load(tmp_path, {"REMIT_MASTER_KEY": b64encode(KEY).decode()})
    assert loaded == MasterKey(KEY)
    assert list(tmp_path.iterdir()) == []


def test_base64url_without_padding_trouble_is_read_too(tmp_path):
    text = urlsafe_b64encode(KEY).decode()
    assert "-" in text or "_" in text
    assert MasterKey.load(tmp_path, {"REMIT_MASTER_KEY": f" {text}\n"}) == MasterKey(KEY)


def test_without_a_key_one_is_made_for_its_owner_alone_and_kept(tmp_path):
    before = os.umask(0)
    try:
        made = MasterKey.load(tmp_path, {})
    finally:
        os.umask(before)
    assert (tmp_path / "master.key").stat().st_mode & 0o777 == 0o600
    assert MasterKey.load(tmp_path, {}) == made
    assert [path.name for path in tmp_path.iterdir()] == ["master.key"]


def test_two_installations_have_two_keys(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    assert MasterKey.load(tmp_path / "a", {}) != MasterKey.load(tmp_path / "b", {})


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    with ThreadPoolExecutor(8) as threads:
        keys = list(threads.map(lambda _: MasterKey.load(tmp_path, {}).derive("x"), range(16)))
    assert len(set(keys)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o620])
def test_a_key_that_others_may_touch_is_refused_with_a_mend(tmp_path, mode):
    MasterKey.load(tmp_path, {})
    (tmp_path / "master.key").chmod(mode)
    with pytest.raises(MasterKeyError, match="chmod 600"):
        MasterKey.load(tmp_path, {})


@pytest.mark.parametrize(
    "text",
    [
        "not base64 at all!",
        b64encode(KEY[:31]).decode(),
        b64encode(KEY + b"x").decode(),
        b64encode(b"\0" * 32).decode(),
        "AAAA",
    ],
)
def test_a_key_that_is_none_is_refused_and_not_repeated(tmp_path, text):
    with pytest.raises(MasterKeyError) as raised:
        MasterKey.load(tmp_path, {"REMIT_MASTER_KEY": text})
    assert text not in str(raised.value)
    assert "openssl rand -base64 32" in raised.value.detail


def test_a_damaged_file_is_refused_and_left_as_it_is(tmp_path):
    path = tmp_path / "master.key"
    path.write_text("damaged")
    path.chmod(0o600)
    with pytest.raises(MasterKeyError, match=r"not base64|instead of 32"):
        MasterKey.load(tmp_path, {})
    assert path.read_text() == "damaged"


def test_a_link_is_not_followed(tmp_path):
    (tmp_path / "elsewhere").write_bytes(b64encode(KEY))
    (tmp_path / "elsewhere").chmod(0o600)
    (tmp_path / "master.key").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(MasterKeyError, match="cannot be read"):
        MasterKey.load(tmp_path, {})


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(MasterKeyError, match="cannot be written"):
        MasterKey.load(tmp_path / "nowhere", {})


def test_each_purpose_has_a_key_of_its_own():
    one = MasterKey(KEY)
    assert one.derive("a") == one.derive("a")
    assert len({one.derive("a"), one.derive("b"), MasterKey(KEY[::-1]).derive("a"), KEY}) == 4


def test_derivation_is_hkdf_of_rfc_5869():
    """Fixed for ever: other bytes would lose every sealed secret."""
    assert MasterKey(bytes(range(32))).derive("remit:seal:v1").hex() == VECTOR


def test_a_key_does_not_show_itself():
    assert repr(MasterKey(KEY)) == "MasterKey()"


def _hkdf(key: bytes, info: bytes) -> bytes:
    """RFC 5869 with SHA-256, no salt, one block: written out, to compare with."""
    extracted = hmac.digest(b"\0" * 32, key, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


VECTOR = _hkdf(bytes(range(32)), b"remit:seal:v1").hex()
