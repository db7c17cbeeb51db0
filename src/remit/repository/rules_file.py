"""`rules/<name>.yaml`: common rules, filled in by people who write no Cedar.

Each rule names one template, says what it is about, and forbids what the template says. It is compiled to a Cedar policy
named after file and rule (`rule_policies`), and checked like those in `policies/`. A rule permits nothing.

Refused: a rule without a template or with two; hours that end before they begin; an amount that is none.

Source: MISSION B4, B7; docs/guides/rules.md.
"""

import re
from decimal import Decimal, InvalidOperation
from typing import Annotated, Final, Literal, Self

from pydantic import BeforeValidator, Field, RootModel, StrictBool, WithJsonSchema, model_validator

from remit.documents import mistake, one_of, quoted
from remit.model import Mode, Operation, Sensitivity
from remit.repository.fields import ArgumentName, Currency, Line, Name, Prose
from remit.repository.section import Section

__all__ = [
    "TEMPLATES",
    "AmountLimit",
    "BusinessHours",
    "NoExportOutside",
    "OwnOrganization",
    "Region",
    "RequireJustification",
    "RuleSection",
    "RulesFile",
    "SeparationOfDuties",
    "TrustedNetworks",
]

_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])|24:00")
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")
_FACT: Final = "The name of a fact under `history` of `remit.yaml`"


def _minutes(given: object) -> int:
    if not isinstance(given, str) or _CLOCK.fullmatch(given) is None:
        raise mistake(f"{quoted(given)} is no time of day", expected='such as `"09:00"`, in quotes')
    return int(given[:2]) * 60 + int(given[3:])


def _amount(given: object) -> Decimal:
    text = str(given) if isinstance(given, str | int) and not isinstance(given, bool) else ""
    try:
        if _AMOUNT.fullmatch(text):
            return Decimal(text)
    except InvalidOperation:
        pass
    raise mistake(
        f"{quoted(given)} is no amount",
        expected='a whole number, or text such as `"500.00"` with at most four decimals',
    )


ClockTime = Annotated[
    int,
    BeforeValidator(_minutes),
    WithJsonSchema({"type": "string", "pattern": f"^({_CLOCK.pattern})$", "examples": ["09:00"]}),
]
"""A time of day, as `09:00`; its value is minutes since midnight."""

Amount = Annotated[
    Decimal,
    BeforeValidator(_amount),
    WithJsonSchema({
        "anyOf": [
            {"type": "integer", "minimum": 0},
            {"type": "string", "pattern": f"^{_AMOUNT.pattern}$"},
        ],
        "examples": ["500.00"],
    }),
]  # fmt: skip

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
_Names = Annotated[tuple[Name, ...], Field(min_length=1)]


class BusinessHours(Section):
    """Only at these hours, on the clock of the caller's organisation."""

    since: ClockTime = Field(alias="from", description="The first minute, such as `09:00`.")
    until: ClockTime = Field(description="The minute that is too late, such as `17:00`.")
    days: Annotated[tuple[Weekday, ...], Field(min_length=1)] = Field(
        default=("mon", "tue", "wed", "thu", "fri"), description="On which days."
    )

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> Self:
        if self.since >= self.until:
            raise mistake(
                "the hours end before they begin",
                expected="`from` before `until`; a night is two rules' work",
            )
        return self


class TrustedNetworks(Section):
    """Only from these networks."""

    networks: _Names = Field(description="Names under `networks` of `remit.yaml`; one is enough.")


class OwnOrganization(Section):
    """Only what belongs to the caller's own organisation."""

    argument: ArgumentName | None = Field(
        default=None,
        description="The declared argument that says whose it is; left out, it is the server that has to be theirs.",
    )
    max_sensitivity: Sensitivity | None = Field(
        default=None, description="And nothing more sensitive."
    )


class AmountLimit(Section):
    """No more than so much: in one call, or over all that a fact of history sums."""

    at_most: Amount = Field(description="The largest amount that goes through.")
    argument: ArgumentName | None = Field(
        default=None, description="The declared `money` or `decimal` argument that has the amount."
    )
    currency: Currency | None = Field(
        default=None,
        description="What the money of `argument` has to be in; left out for a `decimal`.",
    )
    history: ArgumentName | None = Field(
        default=None, description=f"{_FACT} that measures a `sum`, this call counted in."
    )

    @model_validator(mode="after")
    def _says_what_is_limited(self) -> Self:
        if (self.argument is None) == (self.history is None):
            raise mistake("what is limited is not said", expected="either `argument` or `history`")
        if self.history is not None and self.currency is not None:
            raise mistake(
                "a currency beside a fact of history",
                expected="the currency where the fact is declared",
            )
        return self


class Region(Section):
    """Only where the data lives in one of these regions."""

    regions: _Names = Field(description="As the files of servers say in `region`.")


class RequireJustification(Section):
    """Only when the caller says why."""

    what: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")] = Field(
        default="reason",
        description="What has to be told, such as `reason`; an argument of that name counts as well.",
    )


class SeparationOfDuties(Section):
    """Not by whoever does the other part, too."""

    roles: Annotated[tuple[Name, ...], Field(min_length=2)] | None = Field(
        default=None, description="Not by whoever holds all of these roles."
    )
    history: ArgumentName | None = Field(
        default=None, description=f"{_FACT} that measures `tools`."
    )
    after: Annotated[tuple[Line, ...], Field(min_length=1)] | None = Field(
        default=None,
        description="With `history`: not after one of these was used, named as policies name their actions.",
    )

    @model_validator(mode="after")
    def _says_which_duties(self) -> Self:
        if (self.history is None) != (self.after is None):
            raise mistake("`history` and `after` say it together", expected="both or neither")
        if self.roles is None and self.history is None:
            raise mistake(
                "which duties are kept apart is not said",
                expected="`roles`, or `history` and `after`",
            )
        return self


class NoExportOutside(Section):
    """Nothing of these kinds of data goes out, but to these networks."""

    data_categories: _Names = Field(description="Which kinds of data.")
    networks: tuple[Name, ...] = Field(
        default=(), description="Callers from these may; left out, nobody."
    )
    history: ArgumentName | None = Field(
        default=None,
        description=f"{_FACT} that measures `data_categories`: nothing goes out after such data was read.",
    )
    reads: StrictBool = Field(
        default=False, description="Whether reading counts as taking out; else exporting alone."
    )


TEMPLATES: Final = (
    "business_hours",
    "trusted_networks",
    "own_organization",
    "amount_limit",
    "region",
    "require_justification",
    "separation_of_duties",
    "no_export_outside",
)


class RuleSection(Section):
    """One rule: exactly one of the templates, and what it is about."""

    description: Prose = Field(default="", description="For people; why there is this rule.")
    message: Line | None = Field(
        default=None, description="What the caller is told; left out, words that fit the template."
    )
    mode: Mode = Field(
        default=Mode.ENFORCE,
        description="`observe`: it refuses nothing, and the log says what it would have refused.",
    )
    servers: tuple[str, ...] = Field(
        default=(), description="Only calls of these servers; left out, of every one."
    )
    things: tuple[Line, ...] = Field(
        default=(),
        description="Only these things, named as policies name their actions, such as `payments/refund`; in the place of `servers`.",
    )
    operations: tuple[Operation, ...] = Field(
        default=(), description="Only what does one of these; left out, whatever it does."
    )
    except_roles: tuple[str, ...] = Field(
        default=(), description="It does not hold for people with one of these roles."
    )
    business_hours: BusinessHours | None = Field(default=None, description="Only at these hours.")
    trusted_networks: TrustedNetworks | None = Field(
        default=None, description="Only from these networks."
    )
    own_organization: OwnOrganization | None = Field(
        default=None, description="Only what is the caller's own organisation's."
    )
    amount_limit: AmountLimit | None = Field(default=None, description="No more than so much.")
    region: Region | None = Field(
        default=None, description="Only where the data lives in these regions."
    )
    require_justification: RequireJustification | None = Field(
        default=None, description="Only when the caller says why."
    )
    separation_of_duties: SeparationOfDuties | None = Field(
        default=None, description="Not by whoever does the other part."
    )
    no_export_outside: NoExportOutside | None = Field(
        default=None, description="Such data does not go out."
    )

    @model_validator(mode="after")
    def _has_one_template(self) -> Self:
        named = [name for name in TEMPLATES if getattr(self, name) is not None]
        if len(named) != 1:
            said = " and ".join(quoted(name) for name in named) or "none"
            raise mistake(f"a rule has one template, and not {said}", expected=one_of(TEMPLATES))
        if self.servers and self.things:
            raise mistake("`servers` beside `things`", expected="one of them")
        return self

    @property
    def template(self) -> Section:
        """What the rule says."""
        named = (getattr(self, name) for name in TEMPLATES)
        found: Section = next(one for one in named if one is not None)
        return found


class RulesFile(RootModel[dict[Name, RuleSection]]):
    """`rules/<name>.yaml`: rules by their names."""
