"""`tests/*.yaml`: decision tables, as they are written.

A case says who, through which agent, uses what, with which arguments, when and from where, and what is to be
decided. What a file's `defaults` say need not be said again; `columns` and `rows` make many cases of one. Whether
the names in it exist is for `cases_rules` to say, and what is decided for the room `casebook`.
"""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, GetJsonSchemaHandler, WithJsonSchema
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from remit.documents import Duration, did_you_mean, mistake, one_of, quoted
from remit.guard.issuance import WithheldReason
from remit.guard.outcome import RefusalReason
from remit.model import ACR_VALUES
from remit.model.justification import justification_text
from remit.policy.obligation import ObligationKind
from remit.repository.case_time import CaseTime
from remit.repository.fields import Line, Name, Prose
from remit.repository.section import Section

__all__ = [
    "PLACES",
    "CaseFields",
    "CaseSection",
    "CasesFile",
    "DefaultsSection",
    "ElevationSection",
    "ExpectSection",
    "PersonSection",
    "RealisedCase",
]

PLACES: Final = ("tool", "resource", "prompt", "list", "issue")
"""The keys that say what is asked; a case has one of them."""

_PLACE = r"[a-z0-9][a-z0-9-]{0,62}/\S.*"
_STRENGTHS: Final = (*(one.rpartition(":")[2] for one in ACR_VALUES), *ACR_VALUES)
_PLAIN: Final = {"type": ["string", "number", "boolean", "array", "object", "null"]}


_OUTCOMES: Final = ("allow", "deny", "hidden", "challenge")
_Verdict = Literal["allow", "deny", "hidden", "challenge"]
_REASONS: Final = (
    "permitted",
    "observed",
    "not_granted",
    *(reason.value for reason in RefusalReason),
)


def _check_place(text: object) -> object:
    if isinstance(text, str) and ("/" not in text.strip("/")):
        raise mistake(
            f"{quoted(text)} does not say on which server",
            expected="server and name, such as `crm/get_account` or `crm/crm://handbook`",
        )
    return text


def _listed(value: object) -> object:
    """One word where a list may stand is a list of one."""
    return [value] if isinstance(value, str) else value


def _words(pattern: Mapping[str, object]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [dict(pattern), {"type": "array", "items": dict(pattern)}]})


Place = Annotated[
    str,
    BeforeValidator(_check_place),
    WithJsonSchema({"type": "string", "pattern": f"^{_PLACE}$", "examples": ["crm/get_account"]}),
]
"""A thing of a server, as `server/name`."""
Texts = Annotated[tuple[str, ...], BeforeValidator(_listed), _words({"type": "string"})]
"""Several words; a single one need not stand in a list."""
Plain = Annotated[Any, WithJsonSchema(_PLAIN)]
"""An argument as a caller would send it."""


def _check_reason(word: object) -> object:
    if word not in _REASONS:
        near = did_you_mean(str(word), _REASONS)
        raise mistake(f"{quoted(word)} is no reason{near}", expected=one_of(_REASONS))
    return word


def _check_fact(value: object) -> object:
    listed = isinstance(value, list) and all(isinstance(one, str) for one in value)
    if not listed and not isinstance(value, bool | int | float | str):
        raise mistake(
            f"{quoted(value)} is no value of a fact",
            expected="a number, `true` or `false`, or a list of text",
        )
    return value


Reason = Annotated[str, BeforeValidator(_check_reason), WithJsonSchema({"enum": list(_REASONS)})]
"""Why something is decided as it is."""
FactValue = Annotated[
    Any,
    BeforeValidator(_check_fact),
    WithJsonSchema({"type": ["integer", "number", "boolean", "string", "array"]}),
]
"""What a fact of history comes to."""


def _check_address(text: object) -> object:
    try:
        ip_address(text if isinstance(text, str) else "")
    except ValueError:
        raise mistake(f"{quoted(text)} is no address", expected="such as `10.20.1.4`") from None
    return text


Address = Annotated[
    str,
    BeforeValidator(_check_address),
    WithJsonSchema({"type": "string", "examples": ["10.20.1.4"]}),
]


def _check_justification(value: object) -> object:
    if value is None or isinstance(value, str):
        return value
    text = justification_text(value) if isinstance(value, dict) else None
    if text is None:
        raise mistake(
            "this is no justification",
            expected="a line of text, or a mapping of names to lines, such as `{ticket: CHG-17}`",
        )
    return text


Justification = Annotated[
    Prose,
    BeforeValidator(_check_justification),
    WithJsonSchema({
        "anyOf": [
            {"type": "string", "maxLength": 4000},
            {"type": "object", "additionalProperties": {"type": "string"}},
        ]
    }),
]  # fmt: skip
"""Why, as a caller would say it: a line, or what is told by its name."""


class PersonSection(Section):
    """Somebody for whom agents act. Nobody of that name has to exist anywhere."""

    tenant: Name = Field(description="The organisation.")
    roles: Texts = Field(
        default=(), description="Roles that somebody gave; those that attributes bring are added."
    )
    attributes: dict[Line, Line] = Field(
        default={}, description="What the user directory says of the person."
    )
    id: Line | None = Field(
        default=None,
        description="What policies see as `principal.id`; by default the name in this file.",
    )


class ExpectSection(Section):
    """What is to be decided. What is left out may be anything; an empty list says that there is none."""

    outcome: _Verdict | None = Field(
        default=None,
        description="`allow`; `deny`; `hidden`: as if the thing did not exist; `challenge`: another token would do.",
    )
    reason: Reason | None = Field(
        default=None,
        description="Why, as the log has it; `permitted` or `observed` for what is allowed, `not_granted` for a token with nothing in it.",
    )
    rules: Texts | None = Field(
        default=None,
        description="Policies that made the decision, by their `@id`; others may have as well.",
    )
    observed: Texts | None = Field(
        default=None, description="Policies on trial that would have refused."
    )
    obligations: dict[ObligationKind, Texts] | None = Field(
        default=None, description="What is asked for besides, by its kind."
    )
    cures: dict[ObligationKind, Texts] | None = Field(
        default=None,
        description="What would cure the refusal, by its kind; `{}`: nothing would.",
    )
    message: Line | None = Field(default=None, description="Words that the refusal says.")
    scopes: Texts | None = Field(
        default=None, description="All the scopes that a `challenge` asks for, and no others."
    )
    granted: Texts | None = Field(
        default=None, description="With `issue`: all the scopes that are granted, and no others."
    )
    withheld: dict[str, WithheldReason] | None = Field(
        default=None, description="With `issue`: scopes that are not granted, and why."
    )
    sees: Texts | None = Field(
        default=None,
        description="With `list`: what is seen: `get_account`, `resource/crm://handbook`, `prompt/summarise_account`.",
    )
    hides: Texts | None = Field(default=None, description="With `list`: what is not seen.")


def _check_acr(word: object) -> object:
    if word not in _STRENGTHS:
        raise mistake(
            f"{quoted(word)} is no strength that anybody knows", expected=one_of(_STRENGTHS)
        )
    return word


class ElevationSection(Section):
    """What people said of this very call before it comes again."""

    roles: Texts = Field(default=(), description="The roles in whose name somebody approved it.")
    acr: Annotated[str, BeforeValidator(_check_acr)] | None = Field(
        default=None,
        description="How strongly the person proved who they are when they confirmed it: `pwd`, `mfa`, `phr`, or a whole `acr`. Left out: they did not confirm it.",
    )
    age: Duration | None = Field(
        default=None,
        description="How long before this call they confirmed it; `1m` when left out.",
    )
    scopes: Texts = Field(default=(), description="The scopes that were given for this call alone.")


def _expected(value: object) -> object:
    """One word is the outcome."""
    return {"outcome": value} if isinstance(value, str) else value


class _OrWord:
    """In the schema: a single word may stand there as well."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"anyOf": [{"enum": list(_OUTCOMES)}, handler(schema)]}


Expectation = Annotated[ExpectSection, BeforeValidator(_expected), _OrWord()]
"""One word, or all that can be said of an answer."""


class CaseFields(Section):
    """The circumstances of a case; every one may stand in `defaults`, in the case and in a row."""

    who: str | None = Field(
        default=None,
        description="A person of `people`. Left out: the agent, a workload, acts for itself.",
    )
    tenant: Name | None = Field(
        default=None, description="Of a workload: in which organisation; by default its only one."
    )
    agent: str | None = Field(default=None, description="The agent, by the name of its file.")
    tool: Place | None = Field(
        default=None, description="The tool that is called, as `server/name`."
    )
    resource: Place | None = Field(
        default=None, description="The resource that is read, as `server/URI`."
    )
    prompt: Place | None = Field(
        default=None, description="The prompt that is got, as `server/name`."
    )
    listing: str | None = Field(
        default=None, alias="list", description="The server whose lists are asked for."
    )
    issue: str | None = Field(
        default=None, description="The server that a token is asked for; `scopes` are those asked."
    )
    arguments: dict[str, Plain] | None = Field(
        default=None, description="What the call brings, as the agent would send it."
    )
    scopes: Texts | None = Field(
        default=None,
        description="What the token holds; by default all that person, agent and roles could give. With `issue`: what is asked.",
    )
    at: CaseTime | None = Field(
        default=None,
        description="When: `mon 10:00`, `2026-03-02 10:00`, `2026-03-02T10:00:00Z`; with a time zone behind it, else that of the organisation. Wednesday noon when left out.",
    )
    ip: Address | None = Field(
        default=None, description="From which address; unknown when left out."
    )
    acr: str | None = Field(
        default=None,
        description="How strongly the person logged in: `pwd`, `mfa`, `phr`, or a whole `acr`.",
    )
    amr: Texts | None = Field(default=None, description="With what the person logged in.")
    auth_age: Duration | None = Field(
        default=None, description="How long ago the person logged in; `5m` when left out."
    )
    purpose: Prose | None = Field(
        default=None, description="What the token is for; by default the agent's `purpose`."
    )
    justification: Justification | None = Field(
        default=None,
        description="Why, in the caller's own words: a line, or a mapping of what is told.",
    )
    access: Texts | None = Field(
        default=None,
        description="What is had for a while when the token is made: names under `access` or `emergency` of `approvals.yaml`.",
    )
    elevation: ElevationSection | None = Field(
        default=None,
        description="What people said of this very call; nobody was asked when left out.",
    )
    history: dict[str, FactValue] | None = Field(
        default=None,
        description="What the facts of history came to before this call, which is counted in; nothing was done where nothing is said.",
    )
    stages: Texts | None = Field(
        default=None,
        description="Only when tests are run for one of these stages; else the case holds in every one.",
    )
    expect: Expectation | None = Field(default=None, description="What is to be decided.")


class DefaultsSection(CaseFields):
    """What holds for every case of the file that does not say otherwise."""


class CaseSection(CaseFields):
    """One case; with `rows`, one for each of them."""

    name: Line = Field(description="What it shows, in words.")
    columns: tuple[str, ...] | None = Field(
        default=None,
        description="What the cells of each row are: `who`, `at`, `arguments.amount`, `expect`, `expect.rules`.",
    )
    rows: tuple[tuple[Plain, ...], ...] | None = Field(
        default=None, description="A case for each. An empty cell leaves what the case says."
    )


class CasesFile(Section):
    """A file of `tests/`."""

    about: Prose = Field(default="", description="What the file is about.")
    people: dict[Name, PersonSection] = Field(
        default={},
        description="People by name. Those in `tests/people.yaml` are known to every file.",
    )
    defaults: DefaultsSection = Field(
        default=DefaultsSection(),
        description="What holds for every case that does not say otherwise.",
    )
    cases: tuple[CaseSection, ...] = Field(default=(), description="The cases, in their order.")


class RealisedCase(CaseFields):
    """A case with its defaults and the cells of its row, all in one."""

    name: Line
