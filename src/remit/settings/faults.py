"""Where a setting came from, and what is wrong with it there."""

from dataclasses import dataclass
from typing import ClassVar

from remit.errors import Error

__all__ = ["DEFAULT", "Fault", "Origin", "SettingsInvalidError"]


@dataclass(frozen=True, slots=True)
class Origin:
    """What to correct: a place in a file, a variable, a flag, or the default.

    `names_setting`: whether whoever reads the place knows which setting it is.
    """

    place: str
    names_setting: bool = False

    @classmethod
    def in_file(cls, file: str, line: int, column: int) -> "Origin":
        return cls(f"{file}:{line}:{column}")

    @classmethod
    def of_variable(cls, name: str) -> "Origin":
        return cls(name, names_setting=True)

    @classmethod
    def of_flag(cls, field: str) -> "Origin":
        return cls("--" + field.replace("_", "-"), names_setting=True)


DEFAULT = Origin("default")


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing wrong: where, what, and how to mend it."""

    origin: Origin
    message: str
    mend: str = ""

    @classmethod
    def of_setting(cls, name: str, origin: Origin, message: str, mend: str = "") -> "Fault":
        """What is wrong with the setting `name`, which is said unless the place says it."""
        return cls(origin, message if origin.names_setting else f"{name}: {message}", mend)

    def __str__(self) -> str:
        mend = f"; {self.mend}" if self.mend else ""
        return f"{self.origin.place}: {self.message}{mend}"


class SettingsInvalidError(Error):
    """The settings cannot be used; `faults` holds everything that is wrong, not only the first."""

    code: ClassVar[str] = "settings_invalid"

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        count = "one setting" if len(faults) == 1 else f"{len(faults)} settings"
        super().__init__(f"{count} cannot be used")
        self.faults = faults
