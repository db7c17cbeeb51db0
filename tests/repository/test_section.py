import pytest
from pydantic import ValidationError

from remit.repository.section import Section


class Example(Section):
    name: str = "x"


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValidationError, match="extra_forbidden"):
        Example.model_validate({"nam": "y"})


def test_what_was_given_does_not_stand_in_the_text_of_the_error() -> None:
    with pytest.raises(ValidationError) as caught:
        Example.model_validate({"name": ["hunter2"]})
    assert "hunter2" not in str(caught.value)
