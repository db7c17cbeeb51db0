"""`history` of `remit.yaml`: the facts of the past that Remit keeps, by the names that policies read them by.

Refused: a window that is no minute or longer than is kept; a sum that does not say of what; an argument or a
currency of what is no sum. Whether what a fact names exists is for `history_rules` to say.

Source: docs/guides/history.md.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final, Self, TypeAlias

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from remit.documents import mistake, quoted
from remit.ids import ServerName
from remit.model import HistoryFact, HistoryMeasure, HistoryOf, Operation
from remit.repository.fields import ArgumentName, Currency, Name
from remit.repository.lengths import DAY, MINUTE, OptionalDuration, within
from remit.repository.section import Section

__all__ = ["HistoryFacts", "HistorySection", "history_of"]

_FACT: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _check_name(text: str) -> str:
    if _FACT.fullmatch(text) is None:
        raise mistake(
            f"{quoted(text)} is no name of a fact",
            expected="lower-case letters, digits and `_`, so that policies can say `context.history.name`",
        )
    return text


class HistorySection(Section):
    """One fact: what is measured, of whose past, how far back, and which calls count in."""

    measure: HistoryMeasure = Field(
        description="`count`: how many calls. `sum`: what `argument` came to. `ever`: whether there was any. `tools`: which things were used. `data_categories`: which kinds of data were opened."
    )
    of: HistoryOf = Field(
        default=HistoryOf.AGENT_AND_SUBJECT,
        description="Whose past: what the agent did for the person, what the agent did for anybody, what any agent did for the person, or what was done under one grant. Always within one organisation.",
    )
    window: Annotated[OptionalDuration, within(MINUTE, 400 * DAY, "between `1m` and `400d`")] = (
        Field(
            default=None,
            description="How far back, from the moment of each call. `1m` to `400d`; left out, `400d`.",
        )
    )
    servers: tuple[str, ...] = Field(
        default=(), description="Only calls of these servers count in; left out, of every one."
    )
    things: tuple[str, ...] = Field(
        default=(),
        description="Only these things count in, named as policies name their actions, such as `payments/refund`; left out, every one.",
    )
    operations: tuple[Operation, ...] = Field(
        default=(), description="Only what does one of these counts in; left out, whatever it does."
    )
    data_categories: tuple[Name, ...] = Field(
        default=(),
        description="Only what opens one of these kinds of data counts in; left out, whatever it opens.",
    )
    argument: ArgumentName | None = Field(
        default=None,
        description="For `sum`: the argument that is added up, of type `money` or `decimal`.",
    )
    currency: Currency | None = Field(
        default=None,
        description="For a `sum` of `money`: its currency. A call in another is refused.",
    )

    @model_validator(mode="after")
    def _a_sum_is_of_an_argument(self) -> Self:
        is_sum = self.measure is HistoryMeasure.SUM
        if is_sum and self.argument is None:
            raise mistake("a sum that does not say of what", expected="`argument`")
        if not is_sum and (self.argument is not None or self.currency is not None):
            raise mistake(
                "only a sum has an argument and a currency", expected="`measure: sum`, or neither"
            )
        return self


HistoryFacts: TypeAlias = dict[
    Annotated[
        str,
        AfterValidator(_check_name),
        WithJsonSchema({"type": "string", "pattern": f"^{_FACT.pattern}$"}),
    ],
    HistorySection,
]
"""Every fact by its name."""


def history_of(sections: Mapping[str, HistorySection]) -> Mapping[str, HistoryFact]:
    """What `sections` declare."""
    return MappingProxyType({
        name: HistoryFact(
            name=name,
            measure=one.measure,
            of=one.of,
            window=one.window,
            servers=tuple(ServerName(server) for server in one.servers),
            things=one.things,
            operations=one.operations,
            data_categories=one.data_categories,
            argument=one.argument or "",
            currency=one.currency or "",
        )
        for name, one in sections.items()
    })  # fmt: skip
