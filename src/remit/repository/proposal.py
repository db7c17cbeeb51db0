"""A file `servers/<name>.yaml` for what a server offers: a proposal, every guess in it marked for review.

What stands in it passes `remit check` together with the scopes that are proposed beside it. Text of
the server's is cut, quoted, and without control characters; a name that a repository could not hold
is left out and said so.

Source: docs/reference/policy-repository.md; docs/guides/pinning.md.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from pydantic import TypeAdapter, ValidationError

from remit.canonical import Json
from remit.guard.uri_template import find_resource, keeps_values_apart
from remit.ids import ScopeName
from remit.model import Operation, Resource, Sensitivity
from remit.repository.fields import ResourceUri, ThingName
from remit.repository.guesses import Guess, guess_arguments, guess_operation, words_of
from remit.scopes import is_scope_name

__all__ = ["Frame", "Proposal", "propose"]

_HEAD = "# yaml-language-server: $schema=../.schemas/server.schema.json"
_MOST_RESOURCES = 100
_THING_NAME: TypeAdapter[str] = TypeAdapter(ThingName)
_RESOURCE_URI: TypeAdapter[str] = TypeAdapter(ResourceUri)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is known of the server besides what it offers. `upstream` is that section, as JSON."""

    name: str
    upstream: Json
    environment: str
    title: str = ""
    owner: str = ""
    tenant: str | None = None
    scopes: frozenset[str] = frozenset()
    """Those that the repository has already."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Two texts: the server's file, and what `scopes.yaml` lacks for it."""

    server: str
    scopes: str


@dataclass(slots=True)
class _Draft:
    frame: Frame
    scopes: dict[str, tuple[str, Sensitivity]] = field(default_factory=dict)

    def scope(self, words: Iterable[str], operation: Operation, sensitivity: Sensitivity) -> str:
        """The scope for a thing of these words; proposed, if the repository has none of its name."""
        thing = "-".join(words) or "things"
        name = f"{self.frame.name}:{thing}.{operation.value}"
        if not is_scope_name(name):
            thing, name = "things", f"{self.frame.name}:things.{operation.value}"
        if name not in self.frame.scopes:
            _, before = self.scopes.get(name, ("", Sensitivity.LOW))
            worst = max(before, sensitivity, key=lambda one: one.rank)
            self.scopes[name] = (f"{operation.value.capitalize()} {thing.replace('-', ' ')}", worst)
        return name


def propose(lists: Mapping[str, Iterable[Json]], frame: Frame) -> Proposal:
    """The proposal for a server that offers `lists`: entries by the method that lists them."""
    draft = _Draft(frame)
    tools = list(_tools(lists.get("tools/list", ()), draft))
    resources = list(_resources(lists, draft))
    prompts = list(_prompts(lists.get("prompts/list", ()), draft))
    lines = [
        *_frame(frame),
        *_section("tools", tools),
        *_section("resources", resources),
        *_section("prompts", prompts),
    ]
    return Proposal("\n".join(lines) + "\n", "\n".join(_scopes(draft)))


def _frame(frame: Frame) -> Iterator[str]:
    yield _HEAD
    yield "#"
    yield "# Proposed by `remit servers discover`. Whatever is marked `review` was guessed: say what is true."
    yield ""
    yield f"title: {_quoted(frame.title or frame.name)}{'' if frame.title else '  # review: what people see before they consent'}"
    owner = frame.owner or "nobody yet"
    yield f"owner: {_quoted(owner)}{'' if frame.owner else '  # review: who answers for it'}"
    if frame.tenant is None:
        yield "shared: true  # review: or `tenant: <name>`, if it belongs to one organisation"
    else:
        yield f"tenant: {_quoted(frame.tenant)}"
    yield f"environment: {_quoted(frame.environment)}  # review: where it runs"
    yield "pinning: first_use  # review: `reviewed`, if somebody has to admit each definition first"
    yield ""
    yield f"upstream: {json.dumps(frame.upstream, ensure_ascii=False)}"


def _section(name: str, lines: list[str]) -> Iterator[str]:
    yield ""
    if any(not line.lstrip().startswith("#") for line in lines):
        yield f"{name}:"
    yield from lines


def _tools(items: Iterable[Json], draft: _Draft) -> Iterator[str]:
    for item, name in _named(items, "name", _THING_NAME):
        guess = guess_operation(name, item.get("annotations"))
        words = [word for word in words_of(name) if not _is_verb(word, guess)]
        yield f"  {_quoted(name)}:"
        yield from _description(item)
        yield f"    operation: {guess.operation.value}  # review: {guess.because}"
        yield from _access(
            draft.scope(words, guess.operation, guess.sensitivity), guess.sensitivity
        )
        yield from _arguments(item.get("inputSchema"))
    yield from _left_out(items, "name", _THING_NAME)


def _arguments(schema: Json) -> Iterator[str]:
    arguments = guess_arguments(schema)
    typed = [one for one in arguments if one.type is not None]
    if typed:
        yield "    arguments:  # review: those that policies may read; `audit` says what the log keeps"
    for one in typed:
        required = ", required: true" if one.required else ""
        yield f"      {_quoted(one.name)}: {{ type: {one.type}{required} }}"
    for one in arguments:
        if one.type is None:
            yield f"      # `{one.name}` is of no type that a policy could read"


def _resources(lists: Mapping[str, Iterable[Json]], draft: _Draft) -> Iterator[str]:
    templates = [
        uri
        for _, uri in _named(
            lists.get("resources/templates/list", ()), "uriTemplate", _RESOURCE_URI
        )
        if keeps_values_apart(uri)
    ]
    families = tuple(_family(uri) for uri in templates)
    single = [
        (item, uri)
        for item, uri in _named(lists.get("resources/list", ()), "uri", _RESOURCE_URI)
        if "{" not in uri and find_resource(families, uri) is None
    ]
    of_templates = [
        (item, uri)
        for item, uri in _named(
            lists.get("resources/templates/list", ()), "uriTemplate", _RESOURCE_URI
        )
        if uri in templates
    ]
    for item, uri in (*single[:_MOST_RESOURCES], *of_templates):
        words = list(words_of(uri.partition(":")[2].partition("{")[0]))[:2]
        yield f"  {_quoted(uri)}:"
        yield from _description(item)
        yield from _access(draft.scope(words, Operation.READ, Sensitivity.LOW), Sensitivity.LOW)
    if len(single) > _MOST_RESOURCES:
        yield f"  # review: {len(single) - _MOST_RESOURCES} resources more; a template may cover them"
    yield from _left_out(lists.get("resources/list", ()), "uri", _RESOURCE_URI)
    yield from _left_out(lists.get("resources/templates/list", ()), "uriTemplate", _RESOURCE_URI)


def _prompts(items: Iterable[Json], draft: _Draft) -> Iterator[str]:
    for item, name in _named(items, "name", _THING_NAME):
        yield f"  {_quoted(name)}:"
        yield from _description(item)
        yield from _access(
            draft.scope(("prompts",), Operation.READ, Sensitivity.LOW), Sensitivity.LOW
        )
    yield from _left_out(items, "name", _THING_NAME)


def _access(scope: str, sensitivity: Sensitivity) -> Iterator[str]:
    yield f"    scopes: [{_quoted(scope)}]  # review: what a caller's token must cover"
    yield f"    sensitivity: {sensitivity.value}  # review: how much harm one use can do"


def _description(item: Mapping[str, Json]) -> Iterator[str]:
    description = item.get("description")
    if isinstance(description, str) and description.strip():
        yield f"    description: {_quoted(description)}  # review: the server's own words"


def _scopes(draft: _Draft) -> Iterator[str]:
    for name, (title, sensitivity) in draft.scopes.items():
        yield f"{name}:"
        yield f"  title: {_quoted(title)}  # review: people read this before they consent"
        yield f"  description: {_quoted(f'{title} of {draft.frame.title or draft.frame.name}.')}  # review"
        yield f"  sensitivity: {sensitivity.value}  # review"
        yield ""


def _named(
    items: Iterable[Json], key: str, form: TypeAdapter[str]
) -> Iterator[tuple[Mapping[str, Json], str]]:
    """The entries with a name that a repository can hold, each name once, in the order of names."""
    found: dict[str, Mapping[str, Json]] = {}
    for item in items:
        name = item.get(key) if isinstance(item, dict) else None
        if isinstance(item, dict) and isinstance(name, str) and _holds(form, name):
            found.setdefault(name, item)
    yield from ((item, name) for name, item in sorted(found.items()))


def _left_out(items: Iterable[Json], key: str, form: TypeAdapter[str]) -> Iterator[str]:
    for item in items:
        name = item.get(key) if isinstance(item, dict) else None
        if isinstance(name, str) and not _holds(form, name):
            yield f"  # left out, since no repository could name it: {_quoted(name.encode('unicode_escape').decode())}"


def _holds(form: TypeAdapter[str], name: str) -> bool:
    try:
        form.validate_python(name)
    except ValidationError:
        return False
    return True


def _family(uri: str) -> Resource:
    return Resource(
        uri=uri, is_template=True, operation=Operation.READ, scopes=(ScopeName("x:y.z"),),
        sensitivity=Sensitivity.LOW,
    )  # fmt: skip


def _is_verb(word: str, guess: Guess) -> bool:
    return f"`{word}`" in guess.because


def _quoted(text: str) -> str:
    """`text` as a YAML string on one line, without what nobody could see, cut where nobody would read on."""
    words = "".join(one if one.isprintable() else " " for one in text).split()
    shown = " ".join(words)
    return json.dumps(shown if len(shown) <= 300 else f"{shown[:299]}…", ensure_ascii=False)
