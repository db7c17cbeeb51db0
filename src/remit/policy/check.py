"""Whether policies may be loaded at all: every problem, each with its file, line and column.

Refuses a statement that is not Cedar, a template, a policy without an `@id` of its
own, an annotation nobody reads, a policy that does not validate strictly against
the catalog's schema, and a catalog in which two things have the same action.
What needs no schema is said without one: a catalog that cannot be built hides no
mistake in a policy's own text.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cedarpy import PolicySet, Schema, validate_policies
from cedarpy.pst import Template

from remit.canonical import canonical_text
from remit.documents import Problem, did_you_mean
from remit.policy.annotations import About, mistakes_in
from remit.policy.heads import admits
from remit.policy.names import Names, names_of_arguments
from remit.policy.open_question import reads_whole_context
from remit.policy.schema import schema_of
from remit.policy.source import PolicySource
from remit.policy.statements import (
    Statement,
    find_quoted,
    find_syntax_error,
    problem_at,
    split_statements,
)
from remit.policy.vocabulary import (
    CALL,
    ISSUE,
    Declared,
    callable_things,
    server_groups,
)

__all__ = [
    "CheckedPolicy",
    "check_policies",
    "checked_policies",
    "find_ambiguous_actions",
    "schema_handle",
]

_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/#-]{0,99}")
# Cedar's parser descends by recursion: thousands of levels exhaust the stack and end the process.
_MAX_NESTING: Final = 500
_PREFIX: Final = re.compile(r"^for policy `[^`]*`, ")
_ONE_OF_MANY: Final = re.compile(
    r"""(?P<what>attribute\ `[^`]*`)\ (?P<where>in\ context\ for\ .*|on\ entity\ type\ .*)\ not\ found""",
    re.VERBOSE | re.DOTALL,
)
_ATTRIBUTE: Final = re.compile(r"attribute `([^`]*)` (?:in context|on entity type `Remit::(\w+)`)")
_NO_ACTION: Final = "unable to find an applicable action given the policy scope constraints"


@dataclass(frozen=True, slots=True)
class CheckedPolicy:
    """A statement that checks, with what Cedar read in it."""

    text: str
    tree: Template
    annotations: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.annotations["id"]


@dataclass(frozen=True, slots=True)
class _Typed:
    """What policies are held against."""

    schema: Schema
    actions: Sequence[str]
    names: Names


@dataclass(frozen=True, slots=True)
class _Place:
    """A statement and the file it stands in."""

    source: PolicySource
    statement: Statement

    def problem(self, message: str, *, at: str = "", expected: str = "") -> Problem:
        """`message` at what it quotes, or at what `at` quotes."""
        token = find_quoted(self.statement, at or message)
        return problem_at(
            self.source.filename, self.source.text, token=token, message=message, expected=expected
        )


def check_policies(sources: Sequence[PolicySource], catalog: Declared | None) -> list[Problem]:
    """Everything that is wrong with `sources` as policies over `catalog`; empty when they may be loaded.

    Without a catalog, what is wrong with them over any.
    """
    return checked_policies(sources, catalog)[1]


def find_ambiguous_actions(catalog: Declared) -> list[Problem]:
    """Things whose actions, or an action and a group, would have one name: no schema can type them."""
    return list(_ambiguous_actions(catalog))


def checked_policies(
    sources: Sequence[PolicySource], catalog: Declared | None
) -> tuple[list[CheckedPolicy], list[Problem]]:
    """The policies that check, in the order they stand in, and every problem."""
    problems = [] if catalog is None else find_ambiguous_actions(catalog)
    typed = None
    if catalog is not None and not problems:
        typed = _Typed(schema_handle(catalog), _action_names(catalog), Names.of(catalog))
    policies: list[CheckedPolicy] = []
    first_places: dict[str, str] = {}
    for source in sources:
        for statement in split_statements(source.text):
            place = _Place(source, statement)
            tree = _parse(place, problems)
            if tree is None:
                continue
            found = [*_identity(place, tree, first_places)]
            found += _annotations(place, tree, catalog)
            found += _whole_context(place, tree)
            if typed is not None:
                found += _validation(place, tree, typed)
                found += [
                    place.problem(message, at=f"`{word}`", expected=expected)
                    for message, word, expected in typed.names.mistakes_in(tree)
                ]
            problems += found
            if not found:
                policies.append(CheckedPolicy(statement.text, tree, dict(tree.annotations)))
    return policies, sorted(problems)


def schema_handle(catalog: Declared) -> Schema:
    """The schema of `catalog`, parsed."""
    return Schema.from_json_str(canonical_text(schema_of(catalog)))


def _ambiguous_actions(catalog: Declared) -> Iterator[Problem]:
    counted = Counter(thing.action for thing in callable_things(catalog))
    counted.update([CALL, ISSUE, *server_groups(catalog)])
    for thing in callable_things(catalog):
        if counted[thing.action] > 1:
            yield Problem(
                file=f"servers/{thing.server}.yaml",
                line=1,
                column=1,
                message=f"{thing.kind.value} `{thing.name}` shares the action name "
                f"`{thing.action}` with something else, so policies cannot tell them apart",
                expected="another name",
            )


def _parse(place: _Place, problems: list[Problem]) -> Template | None:
    """The statement as Cedar reads it; `None`, and a problem, when it is not one policy."""
    source, statement = place.source, place.statement
    if statement.nesting > _MAX_NESTING:
        problems.append(
            place.problem("the policy is too intricate to be read", expected="several smaller ones")
        )
        return None
    try:
        tree = PolicySet.from_str(statement.text).to_pst()
    except ValueError as error:
        token, said = find_syntax_error(statement, PolicySet.from_str, _one_line(str(error)))
        problems.append(
            problem_at(source.filename, source.text, token=token, message=f"syntax: {said}")
        )
        return None
    if tree.templates or len(tree.static_policies) != 1:
        message = "a template permits and forbids nothing, because nothing fills its slots"
        problems.append(place.problem(message, at="`?principal` `?resource`"))
        return None
    return next(iter(tree.static_policies.values()))


def _identity(place: _Place, tree: Template, first_places: dict[str, str]) -> Iterator[Problem]:
    """Every policy has an `@id`, and no two the same one: decisions and reviews name it."""
    name = tree.annotations.get("id")
    if name is None:
        yield place.problem("the policy has no `@id`", expected='`@id("…")` before it')
        return
    if _ID.fullmatch(name) is None:
        yield place.problem(
            f"the `@id` `{_one_line(name)}` is not a name",
            at=f"`{name}`",
            expected="up to 100 letters, digits and `.` `_` `:` `/` `#` `-`",
        )
        return
    here = place.problem(f"the `@id` `{name}` is taken", at=f"`{name}`")
    if name in first_places:
        yield place.problem(f"the `@id` `{name}` is taken, at {first_places[name]}", at=f"`{name}`")
    first_places.setdefault(name, f"{here.file}:{here.line}")


def _whole_context(place: _Place, tree: Template) -> Iterator[Problem]:
    """Each attribute of `context` is read by name, so that what a policy depends on can be told."""
    if reads_whole_context(tree):
        yield place.problem(
            "`context` is used as a whole", expected="one of its attributes, such as `context.time`"
        )


def _annotations(place: _Place, tree: Template, catalog: Declared | None) -> Iterator[Problem]:
    """Only annotations that mean something: a misspelt `@refusal` would silently say nothing."""
    for one in mistakes_in(tree.annotations, _about(tree, catalog)):
        yield place.problem(one.message, at=f"`{one.at}`", expected=one.expected)


def _about(tree: Template, catalog: Declared | None) -> About:
    """What the head of a policy says that it is about."""
    issuance = admits(tree, {ISSUE})
    if catalog is None:
        return About(effect=tree.effect, issuance=issuance, arguments=None, roles=None)
    arguments = names_of_arguments(tree, catalog) if "redact" in tree.annotations else ()
    return About(effect=tree.effect, issuance=issuance, arguments=arguments, roles=catalog.roles)


def _validation(place: _Place, tree: Template, typed: _Typed) -> list[Problem]:
    """What Cedar's strict validation says, each thing once."""
    result = validate_policies(place.statement.text, typed.schema)
    messages = _condensed(_PREFIX.sub("", error.error) for error in result.errors)
    if len(messages) > 1:
        messages = [message for message in messages if message != _NO_ACTION]
    if not messages and not result.validation_passed:
        messages = ["the policy does not validate"]
    return [
        place.problem(
            _one_line(message) + _suggestion(message, tree, typed),
            at=message,
            expected=_expected(message, tree, typed),
        )
        for message in messages
    ]


def _condensed(messages: Iterable[str]) -> list[str]:
    """A policy about many actions errs in each alike: say where first, and in how many more."""
    first: dict[str, str] = {}
    times: Counter[str] = Counter()
    for message in messages:
        known = _ONE_OF_MANY.fullmatch(message)
        about = known["what"] if known else message
        if first.setdefault(about, message) != message:
            times[about] += 1
    return [
        f"{message} (nor for {times[about]} others)" if times[about] else message
        for about, message in first.items()
    ]


def _suggestion(message: str, tree: Template, typed: _Typed) -> str:
    """What the author may have meant by a name that nothing has."""
    action = re.search(r'unrecognized action `Remit::Action::"([^"]*)"`', message)
    if action:
        return did_you_mean(action[1], typed.actions)
    path = _attribute(message)
    return typed.names.suggestion(path, tree) if path else ""


def _expected(message: str, tree: Template, typed: _Typed) -> str:
    path = _attribute(message)
    return typed.names.expected(path, tree) if path else ""


def _attribute(message: str) -> tuple[str, ...]:
    """The path of the attribute that `message` is about; empty when it is about something else."""
    found = _ATTRIBUTE.search(message)
    if found is None:
        return ()
    root = "principal" if found[2] in {"User", "Workload"} else "resource"
    return ("context" if found[2] is None else root, *found[1].split("."))


def _action_names(catalog: Declared) -> list[str]:
    return [
        CALL,
        ISSUE,
        *server_groups(catalog),
        *(thing.action for thing in callable_things(catalog)),
    ]


def _one_line(text: str) -> str:
    return " ".join(text.split())
