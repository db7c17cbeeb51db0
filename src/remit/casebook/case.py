"""One case of a decision table: the question, whole, and what is expected of the answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

from remit.canonical import JsonObject
from remit.clock import Seconds
from remit.ids import AgentId, ScopeName, ServerName, TenantId
from remit.policy.evaluation import ResourceKind
from remit.repository.case_time import WallTime

__all__ = ["Asked", "Case", "Elevation", "Expected", "Outcome", "Person", "Question", "Table"]


class Asked(StrEnum):
    """What sort of question a case puts."""

    CALL = "call"
    LIST = "list"
    ISSUE = "issue"


class Outcome(StrEnum):
    """How a question can be answered, as whoever asks it sees it."""

    ALLOW = "allow"
    DENY = "deny"
    HIDDEN = "hidden"
    """As if what was asked for did not exist."""
    CHALLENGE = "challenge"
    """Another token would do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody for whom an agent acts. `roles` are those that somebody gave."""

    id: str
    tenant: TenantId
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Elevation:
    """What people said of a call: `confirmed` seconds before it the person proved who they are as `acr`."""

    roles: tuple[str, ...] = ()
    acr: str | None = None
    confirmed: Seconds = Seconds(60)
    scopes: tuple[ScopeName, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who, through which agent, asks what, under which circumstances.

    `name` is of a call: of a tool, a prompt, or the URI of a resource, as `kind` says. `person` is `None` for a
    workload that acts for itself in `tenant`. `scopes`: what the token holds, or is asked for; `None`: all it could.
    """

    asked: Asked
    server: ServerName
    agent: AgentId
    person: Person | None
    at: WallTime
    tenant: TenantId | None = None
    kind: ResourceKind | None = None
    name: str | None = None
    arguments: JsonObject | None = None
    scopes: tuple[ScopeName, ...] | None = None
    ip: str | None = None
    acr: str | None = None
    amr: tuple[str, ...] | None = None
    auth_age: Seconds = Seconds(300)
    purpose: str | None = None
    justification: str | None = None
    access: tuple[str, ...] = ()
    """What is had for a while when the token is made."""
    elevation: "Elevation | None" = None
    """What people said of the very call."""
    history: Mapping[str, object] = field(default_factory=lambda: MappingProxyType({}))
    """What facts came to before this call."""

    @property
    def thing(self) -> str:
        """What is asked for, in one word: `crm/get_account`, `list crm`, `issue crm`."""
        if self.asked is Asked.CALL:
            return f"{self.server}/{self.name}"
        return f"{self.asked} {self.server}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a case expects. `None` may be anything; something empty has to be so."""

    outcome: Outcome | None = None
    reason: str | None = None
    rules: tuple[str, ...] | None = None
    observed: tuple[str, ...] | None = None
    obligations: Mapping[str, tuple[str, ...]] | None = None
    cures: Mapping[str, tuple[str, ...]] | None = None
    message: str | None = None
    scopes: frozenset[str] | None = None
    granted: frozenset[str] | None = None
    withheld: Mapping[str, str] | None = None
    sees: tuple[str, ...] | None = None
    hides: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One question and its answer; `row` is its number in a table, from 1, and `cells` what its row says."""

    file: str
    line: int
    name: str
    question: Question
    expected: Expected
    stages: tuple[str, ...] = ()
    """The stages it is for; empty: every one."""
    row: int | None = None
    cells: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What to call it: its name, and what its row says."""
        if self.row is None:
            return self.name
        return f"{self.name} [{self.row}: {', '.join(self.cells)}]"

    @property
    def place(self) -> str:
        """Where it stands, as editors and CI understand it."""
        return f"{self.file}:{self.line}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The cases of one file, in its order."""

    file: str
    cases: tuple[Case, ...]
    about: str = ""
