"""What a decision table names must exist, and what it expects must be possible.

A tool that nobody declares may be named where it is expected to be hidden: that, too, is worth a case. What only
some stage declares is known here, whatever the stage: the tables are the same in all of them.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from remit.documents import ANY, Document, Path, Problem, did_you_mean, one_of, quoted, read_yaml
from remit.model import AgentClass, HistoryMeasure
from remit.policy import PolicySource
from remit.policy.places import places_of
from remit.repository.cases_file import PLACES, ElevationSection, PersonSection
from remit.repository.cases_reading import ReadCase, ReadFile, read_cases
from remit.repository.catalog import UNREGISTERED
from remit.repository.draft import Draft, names_under
from remit.repository.files import (
    AGENTS,
    CASES,
    PEOPLE,
    POLICIES,
    ROLES,
    ROOT,
    RULES,
    SCOPES,
    SERVERS,
    Files,
)
from remit.repository.rule_policies import rule_id

__all__ = ["SHARED_PEOPLE", "check_cases", "people_of", "read_tables"]

SHARED_PEOPLE: Final = f"{CASES}/{PEOPLE}"
"""The file whose people every other file of tables knows."""

_FEW: Final = 12
_ONLY_OF: Final = {"granted": "issue", "withheld": "issue", "sees": "list", "hides": "list"}
_NUMBER: Final = re.compile(r"[0-9]{1,15}(\.[0-9]{1,4})?")
_PLACEHOLDER: Final = re.compile(r"\\\{[a-z_]+\\\}")


@dataclass(frozen=True, slots=True)
class _Declared:
    """The names of one kind, and where they are declared; `names` is `None` where that cannot be read."""

    kind: str
    names: frozenset[str] | None
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What is declared."""

    tenants: _Declared
    stages: _Declared
    roles: _Declared
    scopes: _Declared
    facts: _Declared
    policies: _Declared
    measures: Mapping[str, object]
    """What each fact of history is."""
    agents: Mapping[str, Document | None]
    servers: Mapping[str, Document | None]
    shared: Mapping[str, PersonSection]


def check_cases(files: Files, draft: Draft, policies: Sequence[PolicySource]) -> Iterator[Problem]:
    """Everything that is wrong with the decision tables of `files`."""
    problems: list[Problem] = []
    tables = read_tables(files.cases, problems)
    yield from problems
    names = _names(files, draft, policies, tables)
    for file in tables:
        yield from _check_people(file, names)
        yield from _check_names(file)
        found = [one for case in file.cases for one in _check(case, file, names)]
        yield from dict.fromkeys(found)


def read_tables(contents: Mapping[str, bytes], problems: list[Problem]) -> tuple[ReadFile, ...]:
    """Every file of tables in `contents`, which are named by their paths, in the order of these."""
    found: list[ReadFile] = []
    for name in sorted(contents):
        reading = read_yaml(contents[name], file=name)
        problems.extend(reading.problems)
        read = None if reading.document is None else read_cases(reading.document, problems)
        if read is not None:
            found.append(read)
    return tuple(found)


def people_of(file: ReadFile, tables: Sequence[ReadFile]) -> dict[str, PersonSection]:
    """The people that `file` knows: its own, and those that all files share."""
    shared = next((one for one in tables if one.document.file == SHARED_PEOPLE), None)
    return {**(shared.values.people if shared else {}), **file.values.people}


def _names(
    files: Files, draft: Draft, policies: Sequence[PolicySource], tables: Sequence[ReadFile]
) -> _Names:
    shared = next((one for one in tables if one.document.file == SHARED_PEOPLE), None)
    elsewhere = [PurePosixPath(name) for overlay in files.overlays.values() for name in overlay]
    agents = {name: draft.agents.get(name) for name in draft.agent_names}
    servers = {name: draft.servers.get(name) for name in draft.server_names}
    # What an overlay says of it is not looked into: all that is known is that it is there.
    agents |= {path.stem: None for path in elsewhere if path.parent.name == AGENTS}
    servers |= {path.stem: None for path in elsewhere if path.parent.name == SERVERS}
    laid = [
        PolicySource(content.decode(errors="replace"), name)
        for overlay in files.overlays.values()
        for name, content in overlay.items()
        if name.startswith(f"{POLICIES}/")
    ]
    roles = names_under(draft.roles, "roles") if ROLES in draft.files else frozenset()
    stages = names_under(draft.root, "stages") or frozenset()
    facts = names_under(draft.root, "history") or frozenset()
    return _Names(
        tenants=_Declared("tenant", names_under(draft.root, "tenants"), ROOT),
        stages=_Declared("stage", stages, f"`stages` of {ROOT}"),
        roles=_Declared("role", roles, ROLES),
        scopes=_Declared("scope", names_under(draft.scopes), SCOPES),
        facts=_Declared("fact", facts, f"`history` of {ROOT}"),
        measures=_measures(draft),
        policies=_Declared(
            "policy",
            frozenset({*places_of([*policies, *laid]), *_laid_rules(files)}),
            f"{POLICIES}/",
        ),
        agents={**agents, UNREGISTERED: None},
        servers=servers,
        shared={} if shared is None else shared.values.people,
    )


def _laid_rules(files: Files) -> Iterator[str]:
    """What the rules become that only some stage has."""
    for overlay in files.overlays.values():
        for name, content in overlay.items():
            path = PurePosixPath(name)
            document = read_yaml(content, file=name).document if path.parent.name == RULES else None
            if document is not None:
                yield from (rule_id(path.stem, str(rule)) for rule in document.root.children)


def _measures(draft: Draft) -> dict[str, object]:
    if draft.root is None:
        return {}
    found = draft.root.find(("history", ANY, "measure"))
    return {str(path[1]): node.value for path, node in found}


def _check_people(file: ReadFile, names: _Names) -> Iterator[Problem]:
    document = file.document
    for name, person in file.values.people.items():
        at: Path = ("people", name)
        yield from _known(document, (*at, "tenant"), person.tenant, names.tenants)
        roles, _ = document.nearest((*at, "roles"))
        for number, role in enumerate(person.roles):
            path = (*at, "roles", number) if isinstance(roles.value, list) else (*at, "roles")
            yield from _known(document, path, role, names.roles)
        if name in names.shared and document.file != SHARED_PEOPLE:
            words = f"{quoted(name)} stands in `{SHARED_PEOPLE}` already"
            yield document.problem(at, words, expected="another name", at_key=True)


def _check_names(file: ReadFile) -> Iterator[Problem]:
    seen: set[str] = set()
    for number, case in enumerate(file.values.cases):
        if case.name in seen:
            words = f"another case of this file is called {quoted(case.name)}"
            yield file.document.problem(
                ("cases", number, "name"), words, expected="a name of its own"
            )
        seen.add(case.name)


def _check(case: ReadCase, file: ReadFile, names: _Names) -> Iterator[Problem]:
    yield from _check_stages(case, names)
    yield from _check_who(case, file, names)
    places = [place for place in PLACES if place in case.document.root.children]
    if len(places) != 1:
        several = " and ".join(quoted(place) for place in places)
        words = f"{several} in one case" if places else "nothing is asked"
        yield _at(case, places[-1:], words, expected=f"exactly one of {one_of(PLACES)}")
    else:
        yield from _check_place(case, file, names, key=places[0])
        yield from _check_expectation(case, places[0], names)
    for number, scope in enumerate(case.values.scopes or ()):
        if not _is_declared(scope, names.scopes.names):
            path = _item(case, "scopes", number)
            yield from _known(case.document, path, scope, names.scopes)
    for fact in case.values.history or {}:
        yield from _check_fact(case, fact, names)
    if case.values.elevation is not None:
        yield from _check_elevation(case, case.values.elevation, places, names=names)


def _check_stages(case: ReadCase, names: _Names) -> Iterator[Problem]:
    for number, stage in enumerate(case.values.stages or ()):
        path = _item(case, "stages", number)
        yield from _known(case.document, path, stage, names.stages)


def _check_who(case: ReadCase, file: ReadFile, names: _Names) -> Iterator[Problem]:
    values, document = case.values, case.document
    if values.who is not None:
        people = frozenset({*names.shared, *file.values.people})
        known = _Declared("person", people, "`people`")
        yield from _known(document, ("who",), values.who, known)
    if values.agent is None:
        yield _at(case, (), "no agent is named", expected="`agent`, in the case or in `defaults`")
        return
    agents = _Declared("agent", frozenset(names.agents), f"{AGENTS}/")
    yield from _known(document, ("agent",), values.agent, agents)
    tenant = values.tenant
    if values.who is None:
        yield from _check_workload(case, names.agents.get(values.agent))
    elif tenant is not None:
        yield _at(
            case,
            ("tenant",),
            "the person has a tenant already",
            expected="`tenant` with workloads alone",
        )
    if tenant is not None:
        yield from _known(document, ("tenant",), tenant, names.tenants)


def _check_workload(case: ReadCase, agent: Document | None) -> Iterator[Problem]:
    if agent is None:
        if case.values.agent == UNREGISTERED:
            yield _at(case, ("who",), "nobody is named for whom the agent acts", expected="`who`")
        return
    kind, _ = agent.nearest(("class",))
    if kind.value != AgentClass.WORKLOAD.value:
        words = f"nobody is named for whom {quoted(case.values.agent)} acts"
        yield _at(case, ("who",), words, expected="`who`; only a workload acts for itself")
        return
    tenants = names_under(agent, "tenants")
    if case.values.tenant is None and tenants is not None and len(tenants) != 1:
        yield _at(case, ("agent",), "the workload is in several organisations", expected="`tenant`")


def _check_place(case: ReadCase, file: ReadFile, names: _Names, *, key: str) -> Iterator[Problem]:
    text = str(case.document.root.children[key].value)
    server, _, thing = text.partition("/")
    if server not in names.servers:
        servers = _Declared("server", frozenset(names.servers), f"{SERVERS}/")
        yield from _known(case.document, (key,), server, servers)
        return
    expected = case.values.expect
    things = names_under(names.servers[server], f"{key}s") if key in {"tool", "prompt"} else None
    if key in {"tool", "prompt"} and things is None and names.servers[server] is not None:
        things = frozenset()
    if things is not None and (expected is None or expected.outcome != "hidden"):
        known = _Declared(key, things, f"{SERVERS}/{server}.yaml")
        yield from _known(case.document, (key,), thing, known)
    if key != "tool" and not _is_inherited(case, file, "arguments"):
        yield _at(case, ("arguments",), f"{quoted(key)} takes no arguments", expected="`tool`")


def _is_inherited(case: ReadCase, file: ReadFile, key: str) -> bool:
    """Whether the case says nothing of its own under `key`."""
    own = case.document.root.children.get(key)
    default, exists = file.document.nearest(("defaults", key))
    return own is None or (exists and own.position == default.position)


def _check_fact(case: ReadCase, fact: str, names: _Names) -> Iterator[Problem]:
    yield from _known(case.document, ("history", fact), fact, names.facts, at_key=True)
    measure = names.measures.get(fact)
    fits, wanted = _FACTS.get(str(measure), (_anything, ""))
    value = (case.values.history or {})[fact]
    if not fits(value):
        words = f"the fact {quoted(fact)} is no {quoted(value)}"
        yield _at(case, ("history", fact), words, expected=wanted)


def _check_elevation(
    case: ReadCase, said: ElevationSection, places: Sequence[str], *, names: _Names
) -> Iterator[Problem]:
    if places and places[0] not in {"tool", "resource", "prompt"}:
        words = f"nobody says yes to {quoted(places[0])}"
        yield _at(case, ("elevation",), words, expected="`tool`, `resource` or `prompt`")
    for number, role in enumerate(said.roles):
        path = _item(case, "elevation", "roles", number)
        yield from _known(case.document, path, role, names.roles)
    for number, scope in enumerate(said.scopes):
        path = _item(case, "elevation", "scopes", number)
        yield from _known(case.document, path, scope, names.scopes)
    if said.age is not None and said.acr is None:
        words = "a confirmation that does not say how strong it was"
        yield _at(case, ("elevation", "age"), words, expected="`acr` beside it")


def _anything(value: object) -> bool:
    return value is not None


def _is_count(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_sum(value: object) -> bool:
    return not isinstance(value, bool) and _NUMBER.fullmatch(str(value)) is not None


_FACTS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = MappingProxyType(
    {
        HistoryMeasure.COUNT.value: (_is_count, "a whole number"),
        HistoryMeasure.SUM.value: (_is_sum, "an amount, such as `4900.00`"),
        HistoryMeasure.EVER.value: (lambda value: isinstance(value, bool), "`true` or `false`"),
        HistoryMeasure.TOOLS.value: (lambda value: isinstance(value, list), "a list of things"),
        HistoryMeasure.DATA_CATEGORIES.value: (
            lambda value: isinstance(value, list),
            "a list of kinds of data",
        ),
    }
)


def _check_expectation(case: ReadCase, key: str, names: _Names) -> Iterator[Problem]:
    expected = case.values.expect
    if expected is None or not expected.model_dump(exclude_none=True):
        yield _at(
            case,
            ("expect",),
            "nothing is expected",
            expected="`expect`: " + one_of(("allow", "deny", "hidden", "challenge")),
        )
        return
    for name, wanted in _ONLY_OF.items():
        if getattr(expected, name) is not None and key != wanted:
            yield _at(
                case,
                ("expect", name),
                f"{quoted(name)} is told by {quoted(wanted)} alone",
                expected=f"{quoted(wanted)} in place of {quoted(key)}",
            )
    if expected.scopes is not None and expected.outcome not in {None, "challenge"}:
        yield _at(
            case, ("expect", "scopes"), "only a `challenge` asks for scopes", expected="`challenge`"
        )
    for name in ("rules", "observed"):
        for number, rule in enumerate(getattr(expected, name) or ()):
            path = _item(case, "expect", name, number)
            yield from _known(case.document, path, rule, names.policies)


def _item(case: ReadCase, *path: str | int) -> Path:
    """The path of an item of what may be a list or a single word."""
    node, _ = case.document.nearest(path[:-1])
    return path if isinstance(node.value, list) else path[:-1]


def _is_declared(scope: str, declared: frozenset[str] | None) -> bool:
    """Whether `scope` is declared, or is what becomes of a declared one that binds a claim."""
    if declared is None or scope in declared:
        return True
    patterns = (
        _PLACEHOLDER.sub("[a-z0-9][a-z0-9_-]*", re.escape(one)) for one in declared if "{" in one
    )
    return any(re.fullmatch(pattern, scope) for pattern in patterns)


def _known(
    document: Document, path: Path, name: str, declared: _Declared, *, at_key: bool = False
) -> Iterator[Problem]:
    known, kind = declared.names, declared.kind
    if known is None or name in known:
        return
    near = did_you_mean(name, known)
    listed = one_of(known) if not near and 0 < len(known) <= _FEW else ""
    yield document.problem(
        path,
        f"unknown {kind} {quoted(name)}{near}",
        expected=listed or f"{'an' if kind[0] in 'aeiou' else 'a'} {kind} of {declared.where}",
        at_key=at_key,
    )


def _at(case: ReadCase, path: Sequence[str], message: str, *, expected: str) -> Problem:
    """A problem with a part of the case; with the whole of it where that part is not there."""
    _, exists = case.document.nearest(tuple(path))
    if exists and path:
        return case.document.problem(tuple(path), message, expected=expected)
    return case.document.problem_at(case.at, message, expected=expected)
