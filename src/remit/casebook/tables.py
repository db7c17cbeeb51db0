"""Decision tables out of the files of a policy repository.

Refused: a file that is no table. Whether what it names exists is checked with the repository.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from remit.canonical import JsonObject
from remit.casebook.case import Asked, Case, Elevation, Expected, Outcome, Person, Question, Table
from remit.clock import Seconds
from remit.documents import DocumentInvalidError, Problem
from remit.ids import AgentId, ScopeName, ServerName, TenantId
from remit.policy.evaluation import ResourceKind
from remit.repository.case_time import NOON
from remit.repository.cases_file import ElevationSection, ExpectSection, PersonSection, RealisedCase
from remit.repository.cases_reading import ReadCase, ReadFile
from remit.repository.cases_rules import people_of, read_tables
from remit.repository.files import CASES

__all__ = ["tables_of"]

_SHORT: Final = frozenset({"pwd", "mfa", "phr"})
_ACR: Final = "urn:remit:acr:"
_LOGGED_IN: Final = Seconds(300)
_CONFIRMED: Final = Seconds(60)
_KINDS: Final = (
    ("tool", ResourceKind.TOOL),
    ("resource", ResourceKind.RESOURCE),
    ("prompt", ResourceKind.PROMPT),
)


def tables_of(contents: Mapping[str, bytes]) -> tuple[Table, ...]:
    """The decision tables among the files of a bundle, which `contents` has by their paths.

    Raises:
        DocumentInvalidError: one of them is none; `problems` are all mistakes.
    """
    problems: list[Problem] = []
    below = f"{CASES}/"
    cases = {name: data for name, data in contents.items() if name.startswith(below)}
    files = read_tables(cases, problems)
    if problems:
        raise DocumentInvalidError(problems)
    return tuple(_table(file, files) for file in files if file.cases)


def _table(file: ReadFile, files: tuple[ReadFile, ...]) -> Table:
    people = {name: _person(name, one) for name, one in people_of(file, files).items()}
    return Table(
        file=file.document.file,
        about=file.values.about,
        cases=tuple(_case(file.document.file, one, people) for one in file.cases),
    )


def _case(file: str, read: ReadCase, people: Mapping[str, Person]) -> Case:
    return Case(
        file=file,
        line=read.at.line,
        name=read.values.name,
        question=_question(read.values, people),
        expected=_expected(read.values.expect or ExpectSection()),
        stages=read.values.stages or (),
        row=read.row,
        cells=read.cells,
    )


def _question(values: RealisedCase, people: Mapping[str, Person]) -> Question:
    asked, server, kind, name = _place(values)
    arguments: JsonObject | None = values.arguments
    return Question(
        asked=asked,
        server=ServerName(server),
        agent=AgentId(values.agent or ""),
        person=None if values.who is None else people.get(values.who),
        tenant=None if values.tenant is None else TenantId(values.tenant),
        at=values.at or NOON,
        kind=kind,
        name=name,
        arguments=({} if arguments is None else arguments) if kind is ResourceKind.TOOL else None,
        scopes=None if values.scopes is None else tuple(map(ScopeName, values.scopes)),
        ip=values.ip,
        acr=_acr(values.acr),
        amr=values.amr,
        auth_age=values.auth_age or _LOGGED_IN,
        purpose=values.purpose,
        justification=values.justification,
        access=values.access or (),
        elevation=None if values.elevation is None else _elevation(values.elevation),
        history=MappingProxyType(dict(values.history or {})),
    )


def _elevation(section: ElevationSection) -> Elevation:
    return Elevation(
        roles=section.roles,
        acr=_acr(section.acr),
        confirmed=section.age or _CONFIRMED,
        scopes=tuple(map(ScopeName, section.scopes)),
    )


def _acr(written: str | None) -> str | None:
    return f"{_ACR}{written}" if written in _SHORT else written


def _place(values: RealisedCase) -> tuple[Asked, str, ResourceKind | None, str | None]:
    """What is asked, of which server, and of which thing there."""
    for key, kind in _KINDS:
        place = getattr(values, key)
        if place is not None:
            server, _, name = place.partition("/")
            return Asked.CALL, server, kind, name
    if values.listing is not None:
        return Asked.LIST, values.listing, None, None
    return Asked.ISSUE, values.issue or "", None, None


def _person(name: str, section: PersonSection) -> Person:
    return Person(
        id=section.id or name,
        tenant=TenantId(section.tenant),
        roles=section.roles,
        attributes=MappingProxyType(dict(section.attributes)),
    )


def _expected(section: ExpectSection) -> Expected:
    duties, cures = section.obligations, section.cures
    withheld = section.withheld
    return Expected(
        outcome=None if section.outcome is None else Outcome(section.outcome),
        reason=None if section.reason is None else str(section.reason),
        rules=section.rules,
        observed=section.observed,
        obligations=None if duties is None else {kind.value: of for kind, of in duties.items()},
        cures=None if cures is None else {kind.value: of for kind, of in cures.items()},
        message=section.message,
        scopes=None if section.scopes is None else frozenset(section.scopes),
        granted=None if section.granted is None else frozenset(section.granted),
        withheld=None if withheld is None else {name: why.value for name, why in withheld.items()},
        sees=section.sees,
        hides=section.hides,
    )
