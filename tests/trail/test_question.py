import pytest

from remit.trail.question import Cursor, CursorLostError, Rest


def test_a_cursor_is_read_back_as_it_was_handed_out():
    cursor = Cursor(
        epoch="trl2_x", asked="00ff", bound=2**62, opened={7: 3, 5: 1}, rest=(Rest("remit/main", 1, 9),), below={1: 2},
        sizes={"remit/main": 9}, gaps={"remit/main": (2, 4)},
    )  # fmt: skip
    read = Cursor.parse(cursor.text())
    assert read == cursor
    assert list(read.opened) == [7, 5]


@pytest.mark.parametrize(
    "text",
    ["", "x", "!", "W10=", "bnVsbA==", "WyJhIiwtMSxbXSxbXSxbXSxbXV0=", "WyJhIiwxLFtbMV1dLFtdLFtdLFtdXQ==", "\u00e9", "WyJhIiwxLDEsMSwxLDFd"],
)  # fmt: skip
def test_what_was_not_handed_out_is_refused(text):
    with pytest.raises(CursorLostError):
        Cursor.parse(text)
