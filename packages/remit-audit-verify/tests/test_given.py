import pytest

from remit_audit_verify.given import (
    BadOptionError,
    read_age,
    read_kept,
    read_keys,
    read_policy,
    read_root_file,
)
from remit_audit_verify.policy import NO_POLICY, BadPolicyError
from remit_audit_verify.timestamps import BadTimestampError


def test_a_key_is_a_key_or_a_file_of_keys(tmp_path, make_log):
    one, two = (str(make_log(1, name).verifier) for name in ("one", "two"))
    path = tmp_path / "log.pub"
    path.write_text(f"{one}\n{two}\n")
    assert read_keys([one, str(path)]) == [one, one, two]
    odd = tmp_path / "a+b"
    odd.write_text(two)
    assert read_keys([str(odd)]) == [two]


def test_a_file_without_a_key_pins_nothing_and_is_refused(tmp_path):
    path = tmp_path / "log.pub"
    path.write_text("\n")
    with pytest.raises(BadOptionError, match="no key in it"):
        read_keys([str(path)])
    with pytest.raises(FileNotFoundError):
        read_keys(["nowhere"])


@pytest.mark.parametrize(
    ("text", "seconds"), [("0", 0), ("90", 90), ("90s", 90), ("15m", 900), ("6h", 21_600), ("2d", 172_800)]
)  # fmt: skip
def test_an_age_is_a_number_and_a_unit(text, seconds):
    assert read_age(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1w", "1.5h", "h", "٣", "9" * 10, " 1"])
def test_another_form_is_no_age(text):
    with pytest.raises(BadOptionError):
        read_age(text)


def test_what_is_not_handed_over_asks_for_nothing(tmp_path):
    assert read_policy(None) is NO_POLICY
    assert read_root_file(None) == b""
    assert read_kept([]) == []


def test_an_empty_file_is_not_the_same_as_none(tmp_path):
    path = tmp_path / "empty"
    path.touch()
    with pytest.raises(BadPolicyError, match="no quorum"):
        read_policy(path)
    with pytest.raises(BadTimestampError):
        read_root_file(path)
