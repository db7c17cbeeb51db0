import pytest
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from remit.documents import Duration, duration_field, parse_duration


class Limits(BaseModel):
    idle: Duration


@pytest.mark.parametrize(
    ("text", "seconds"), [("45s", 45), ("10m", 600), ("12h", 43_200), ("30d", 2_592_000)]
)
def test_a_number_and_a_unit_is_a_duration(text: str, seconds: int) -> None:
    assert Limits.model_validate({"idle": text}).idle == seconds


@pytest.mark.parametrize(
    "text", ["", "10", "0m", "-1h", "1.5h", "10 m", "1h30m", "10M", "m", "٣m", 600, None, True]
)
def test_anything_else_is_refused(text: object) -> None:
    with pytest.raises(ValidationError, match="is not a length of time"):
        Limits.model_validate({"idle": text})


def test_the_schema_of_a_duration_is_text() -> None:
    assert Limits.model_json_schema()["properties"]["idle"]["type"] == "string"


def test_a_duration_can_be_parsed_alone() -> None:
    assert parse_duration("2d") == 172_800


def test_a_default_holds_and_stands_in_the_schema_as_one_would_write_it() -> None:
    class Defaulted(BaseModel):
        idle: Duration = duration_field("10m", "How long.")

    assert Defaulted().idle == 600
    assert Defaulted.model_json_schema()["properties"]["idle"]["default"] == "10m"


def test_a_default_that_is_no_duration_is_refused_when_the_model_is_written() -> None:
    with pytest.raises(PydanticCustomError):
        duration_field("ten minutes", "How long.")
