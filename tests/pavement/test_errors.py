"""An error shows its detail and keeps its cause."""

import pytest

from remit.errors import ConflictError, Error, NotFoundError, UnavailableError


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (Error, "error"),
        (NotFoundError, "not_found"),
        (ConflictError, "conflict"),
        (UnavailableError, "unavailable"),
    ],
)
def test_each_error_has_its_stable_code(kind, code):
    assert kind.code == code
    assert str(kind("no such thing")) == "no such thing"


def test_the_cause_is_kept_apart_from_what_is_shown():
    cause = ValueError("password hunter2")
    error = Error("it did not work", cause=cause)
    assert error.cause is cause
    assert "hunter2" not in str(error)
    assert "hunter2" not in error.detail
