"""Reading the settings: defaults, then file, then environment, then flags.

Unknown, malformed and contradictory settings are refused all at once, each with
the place it came from and the mend. A variable that begins with `REMIT_` and is
no setting is refused too: it is a setting somebody believes is in force. But for
those that end in `_SECRET` or `_TOKEN`, which a policy repository may name.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from remit.settings.contradictions import contradictions
from remit.settings.faults import DEFAULT, Fault, Origin, SettingsInvalidError
from remit.settings.file import read_file
from remit.settings.model import SECRET_SUFFIXES, SECRET_VARIABLES, Settings

__all__ = ["LoadedSettings", "load_settings"]

_PREFIX = "REMIT_"
_CONFIG_VARIABLE = "REMIT_CONFIG"
_OF_COMMANDS = ("REMIT_URL", "REMIT_TOKEN_FILE")
"""With which commands find a Remit elsewhere (`remit.cli.remote`)."""


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings, and where each that is not a default came from."""

    settings: Settings
    origins: Mapping[str, Origin]


@dataclass(frozen=True, slots=True)
class _Given:
    """One value somebody wrote down."""

    name: str
    value: object
    origin: Origin


def load_settings(
    *, flags: Mapping[str, object], environ: Mapping[str, str], config: Path | None = None
) -> LoadedSettings:
    """Read all sources. A flag that is `None` was not given; `config` may also come as `REMIT_CONFIG`.

    Raises:
        SettingsInvalidError: with every fault in every source.
    """
    faults: list[Fault] = []
    given: dict[str, _Given] = {}
    for one in (
        *_from_file(config, environ, faults),
        *_from_environment(environ),
        *_from_flags(flags),
    ):
        if one.name in Settings.model_fields:
            given[one.name] = one
        else:
            faults.append(_unknown(one))
    settings, invalid = _validated(given, faults)
    for found in contradictions(settings, given=frozenset(given)):
        if invalid.isdisjoint((found.field, *found.also)):
            origin = next(
                (given[name].origin for name in (found.field, *found.also) if name in given),
                DEFAULT,
            )
            faults.append(Fault.of_setting(found.field, origin, found.message, found.mend))
    if faults:
        raise SettingsInvalidError(tuple(faults))
    return LoadedSettings(settings, {name: one.origin for name, one in given.items()})


def _from_file(
    config: Path | None, environ: Mapping[str, str], faults: list[Fault]
) -> Iterator[_Given]:
    if config is None and environ.get(_CONFIG_VARIABLE):
        config = Path(environ[_CONFIG_VARIABLE])
    if config is None:
        return
    entries, problems = read_file(config)
    faults.extend(problems)
    for name, value, origin in entries:
        yield _Given(name, value, origin)


def _from_environment(environ: Mapping[str, str]) -> Iterator[_Given]:
    for variable, value in sorted(environ.items()):
        reserved = variable in {
            _CONFIG_VARIABLE,
            *_OF_COMMANDS,
            *SECRET_VARIABLES,
        } or variable.endswith(SECRET_SUFFIXES)
        # An empty variable is how a shell or a compose file says that it is not set.
        if variable.startswith(_PREFIX) and value and not reserved:
            name = variable.removeprefix(_PREFIX).lower()
            yield _Given(name, value, Origin.of_variable(variable))


def _from_flags(flags: Mapping[str, object]) -> Iterator[_Given]:
    for name, value in flags.items():
        if value is not None:
            yield _Given(name, value, Origin.of_flag(name))


def _unknown(one: _Given) -> Fault:
    close = difflib.get_close_matches(one.name, Settings.model_fields, n=1)
    mend = "see docs/reference/settings.md for what can be set"
    if close:
        variable = one.origin.place.startswith(_PREFIX)
        mend = f"did you mean `{_PREFIX + close[0].upper() if variable else close[0]}`?"
    return Fault(one.origin, f"`{one.name}` is not a setting", mend)


def _validated(given: Mapping[str, _Given], faults: list[Fault]) -> tuple[Settings, frozenset[str]]:
    """The settings with what is invalid left at its default, and the names of that."""
    values = {name: one.value for name, one in given.items()}
    try:
        return Settings.model_validate(values), frozenset()
    except ValidationError as error:
        details = error.errors(include_url=False)
    invalid = frozenset(str(detail["loc"][0]) for detail in details)
    faults.extend(_fault(given, detail) for detail in details)
    kept = {name: value for name, value in values.items() if name not in invalid}
    return Settings.model_validate(kept), invalid


def _fault(given: Mapping[str, _Given], detail: ErrorDetails) -> Fault:
    name = str(detail["loc"][0])
    return Fault.of_setting(name, given[name].origin, _in_words(name, detail))


def _in_words(name: str, detail: ErrorDetails) -> str:
    if detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    context = detail.get("ctx", {})
    match detail["type"]:
        case "int_parsing" | "int_type" | "int_from_float" | "int_parsing_size":
            expected = "expected a whole number"
        case "greater_than_equal":
            expected = f"expected {context['ge']} or more"
        case "less_than_equal":
            expected = f"expected {context['le']} or less"
        case "enum":
            expected = f"expected {context['expected']}".replace("'", "`")
        case "string_type" | "path_type" | "string_too_short":
            expected = "expected text"
        case "string_pattern_mismatch":
            expected = "expected lower-case letters, digits and hyphens"
        case _:
            expected = detail["msg"][:1].lower() + detail["msg"][1:]
    # The offending input is no secret here, but for the one setting that may hold a password.
    return expected if name == "database_url" else f"{expected}, not `{str(detail['input'])[:80]}`"
