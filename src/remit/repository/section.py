"""What every mapping in a policy repository has in common: no key but the known ones."""

from pydantic import BaseModel, ConfigDict

__all__ = ["Section"]


class Section(BaseModel):
    """A mapping with known keys. Values are taken as written: `"10"` is no number, `yes` no boolean."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        allow_inf_nan=False,
        validate_default=False,
        validate_by_name=False,
        validate_by_alias=True,
        hide_input_in_errors=True,
    )
