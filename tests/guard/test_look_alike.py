import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.guard.look_alike import look_alike

NAMES = {"user_id", "Amount", "straße", "가격"}


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ("User_ID", "user_id"),
        ("USER_ID", "user_id"),
        ("u\u017fer_id", "user_id"),
        ("\uff55ser_id", "user_id"),
        ("user\uff3fid", "user_id"),
        ("user_id ", "user_id"),
        (" user_id", "user_id"),
        ("\tuser_id\r\n", "user_id"),
        ("user_id\0", "user_id"),
        ("\ufeffuser_id", "user_id"),
        ("user_id\u200b \0", "user_id"),
        ("\u3000User_ID" + "\u00a0" * 5_000, "user_id"),
        ("amount", "Amount"),
        ("STRASSE", "straße"),
        ("\u1100\u1161\u1100\u1167\u11a8", "가격"),
    ],
)
def test_a_name_that_is_almost_another_is_told(other, name):
    assert look_alike(["x", other], NAMES) == name


@pytest.mark.parametrize(
    "other",
    ["", " ", "user", "user_ids", "user-id", "userid", "user _id", "us\u0435r_id", "u" * 100_000],
)
def test_a_name_that_is_another_is_not(other):
    assert look_alike([other], NAMES) is None


def test_nothing_is_almost_one_of_no_names():
    assert look_alike(["a", ""], []) is None


@given(st.text(min_size=1, max_size=20))
def test_every_case_and_every_compatible_form_of_a_name_is_told(name):
    for other in (name.upper(), name.lower(), name.casefold(), f" {name}", f"{name}\0"):
        if other != name:
            assert look_alike([other], [name]) == name
