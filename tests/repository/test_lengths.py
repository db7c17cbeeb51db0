from typing import Annotated

import pytest
from pydantic import BaseModel, ValidationError

from remit.repository.lengths import DAY, DurationOrNever, OptionalDuration, within


class Model(BaseModel):
    never: Annotated[DurationOrNever, within(DAY, 2 * DAY, "one or two days")] = 0
    optional: Annotated[OptionalDuration, within(DAY, 2 * DAY, "one or two days")] = None


@pytest.mark.parametrize(("text", "seconds"), [("0s", 0), ("1d", 86_400), ("48h", 172_800)])
def test_a_length_within_its_bounds_is_seconds(text: str, seconds: int) -> None:
    assert Model.model_validate({"never": text}).never == seconds


@pytest.mark.parametrize("text", ["23h", "3d", "0d", "0", 0, "00s", "", None])
def test_a_length_out_of_bounds_is_refused(text: object) -> None:
    with pytest.raises(ValidationError):
        Model.model_validate({"never": text})


def test_what_was_left_out_is_no_length() -> None:
    assert Model().optional is None
    with pytest.raises(ValidationError):
        Model.model_validate({"optional": "0s"})
