"""Where questions are asked: a resource and its action, and, for one sort of caller, the policies that can matter.

Everything here is parsed the first time and kept: a catalog has few things, and a
repository few sorts of callers. What is kept is bounded.
"""

from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cedarpy import Entities, PolicySet, Schema
from cedarpy.pst import Template

from remit.model import Argument, HistoryFact
from remit.policy.buckets import Index, Selection, could_matter
from remit.policy.cedar_request import resource_entities, resource_uid
from remit.policy.check import CheckedPolicy
from remit.policy.conformity import Conformity, HistoryConformity
from remit.policy.decision import Decision
from remit.policy.demands import demand_of
from remit.policy.evaluation import Evaluation, ResourceFacts
from remit.policy.facts import FACTS, OPEN_FACTS, PRINCIPAL, Getter
from remit.policy.open_question import open_attributes, open_policies
from remit.policy.read_context import ReadContext
from remit.policy.reads import EVERYTHING, Reads, reads_of, union_of
from remit.policy.vocabulary import ACTION_TYPE, HISTORY, ISSUE, entity_type, group_names

__all__ = ["Bucket", "Corner", "Part", "Place", "Places", "Typed"]

_MAX_PLACES = 4_096
_MAX_CORNERS = 1_024


@dataclass(frozen=True, slots=True)
class Typed:
    """What types questions: schema, arguments of every action that has any, facts of history, names of what is told."""

    schema: Schema
    arguments: Mapping[str, tuple[Argument, ...]]
    history: Mapping[str, HistoryFact]
    told: Collection[str]


@dataclass(frozen=True, slots=True)
class Bucket:
    """Some of the policies, parsed."""

    policies: PolicySet
    names: Mapping[str, str]
    """Cedar's own name of each policy to its `@id`."""
    trees: tuple[Template, ...]
    reads_open: frozenset[str]
    """What the policies look at that only a call brings."""
    reads_history: frozenset[str]
    opened: dict[frozenset[str], PolicySet] = field(default_factory=dict)
    """Rewritten for open questions, by what is open."""
    answers: dict[Hashable, Decision] = field(default_factory=dict)
    """What was made of each answer that Cedar gave."""

    def open_policies(self, open_to: frozenset[str]) -> PolicySet:
        """The policies, rewritten for questions in which `open_to` is not known."""
        policies = self.opened.get(open_to)
        if policies is None:
            policies = self.opened[open_to] = open_policies(self.trees, open_to)
        return policies


@dataclass(frozen=True, slots=True)
class Part:
    """Some of the policies that can matter, with what they look at: `context`, and its schema.

    Without those they look at everything.
    """

    bucket: Bucket
    context: ReadContext | None
    schema: Schema | None
    reads_principal: bool


@dataclass(frozen=True, slots=True)
class Corner:
    """A place as one sort of caller comes to it: the policies that can matter, in two parts.

    A forbid of either forbids, a failure of either fails, and a permit of either permits if nothing
    does that: so the two are asked apart. What the `steady` ones say depends on `facts`, whatever
    a call brings; the `varying` ones read that (arguments, history, justification), or what is not understood.
    """

    steady: Part | None
    facts: tuple[Getter, ...]
    varying: Part | None
    positions: tuple[int, ...]
    """Of both parts."""
    open_facts: tuple[Getter, ...]
    """What both depend on while nothing is known of what a call brings."""
    reads_open: frozenset[str]
    """What of that they look at."""


@dataclass(frozen=True, slots=True)
class Place:
    """A resource with its action: the entities of the catalog's side, parsed."""

    action: str
    resource: ResourceFacts
    action_uid: Mapping[str, str]
    resource_uid: Mapping[str, str]
    entities: Entities
    arguments: tuple[Argument, ...]
    conformity: Conformity
    history: HistoryConformity
    reads_history: frozenset[str]
    """The facts of history that policies about it look at, whoever asks."""
    positions: tuple[int, ...]
    index: Index
    corners: dict[Selection, Corner] = field(default_factory=dict)


class Places:
    """All places that were asked at, over one set of policies."""

    __slots__ = (
        "_arguments",
        "_buckets",
        "_corners",
        "_demands",
        "_history",
        "_history_conformity",
        "_open",
        "_places",
        "_policies",
        "_reads",
        "_schema",
        "_told",
    )

    def __init__(
        self,
        policies: Sequence[CheckedPolicy],
        typed: Typed,
    ) -> None:
        self._policies = policies
        self._schema = typed.schema
        self._arguments = typed.arguments
        self._history = typed.history
        self._told = typed.told
        self._history_conformity = HistoryConformity(typed.history)
        self._open = [open_attributes(policy.tree) for policy in policies]
        self._demands = [demand_of(policy.tree) for policy in policies]
        self._reads = [reads_of(policy.tree) for policy in policies]
        self._buckets: dict[tuple[int, ...], Bucket] = {}
        self._places: dict[tuple[str, ResourceFacts], Place] = {}
        self._corners = 0

    def place(self, action: str, resource: ResourceFacts) -> Place:
        """Where a question is asked. Raises whatever Cedar raises if the schema has no such place."""
        name = (action, resource)
        place = self._places.get(name)
        if place is None:
            place = self._parse_place(action, resource)
            if len(self._places) >= _MAX_PLACES:
                self._forget()
            self._places[name] = place
        return place

    def corner(self, place: Place, evaluation: Evaluation) -> Corner:
        """The policies that can matter to the question, which is within the schema."""
        selection = place.index.selection(evaluation)
        corner = place.corners.get(selection)
        if corner is None:
            corner = self._parse_corner(place, place.index.positions(selection))
            self._corners += 1
            if self._corners > _MAX_CORNERS:
                self._forget()
            place.corners[selection] = corner
        return corner

    def _forget(self) -> None:
        for place in self._places.values():
            place.corners.clear()
        self._places, self._buckets, self._corners = {}, {}, 0

    def _parse_place(self, action: str, resource: ResourceFacts) -> Place:
        entities = resource_entities(resource, action)
        # Checked once against the schema; the handle that is kept holds these entities alone.
        Entities.from_json_str(entities, self._schema)
        groups = () if action == ISSUE else group_names(resource.server, resource.operation)
        positions = could_matter(self._policies, action, groups)
        arguments = self._arguments.get(action, ())
        return Place(
            action=action,
            resource=resource,
            action_uid={"type": ACTION_TYPE, "id": action},
            resource_uid=resource_uid(resource),
            entities=Entities.from_json_str(entities),
            arguments=arguments,
            conformity=Conformity(arguments),
            history=self._history_conformity,
            reads_history=self._past_read_by(positions),
            positions=positions,
            index=Index({position: self._demands[position] for position in positions}),
        )

    def _parse_corner(self, place: Place, positions: tuple[int, ...]) -> Corner:
        steady = tuple(n for n in positions if not OPEN_FACTS & self._reads[n].facts)
        varying = tuple(n for n in positions if OPEN_FACTS & self._reads[n].facts)
        return Corner(
            steady=self._parse_part(place, steady) if steady or not varying else None,
            facts=self._facts(steady),
            varying=self._parse_part(place, varying) if varying else None,
            positions=positions,
            open_facts=self._facts(positions),
            reads_open=self._read_openly(positions),
        )

    def _parse_part(self, place: Place, positions: tuple[int, ...]) -> Part:
        bucket = self.bucket(positions)
        reads = self._read_by(positions)
        context: ReadContext | None = None
        schema: Schema | None = None
        if reads != EVERYTHING:
            declared = None if place.action == ISSUE else place.arguments
            context = ReadContext.of(reads, declared, history=self._history)
            kind = entity_type(place.resource.kind)
            schema = context.schema(
                place.action, kind, declared, history=self._history, told=self._told
            )
        reads_principal = any(fact[0] == PRINCIPAL[0] and fact != PRINCIPAL for fact in reads.facts)
        return Part(bucket, context, schema, reads_principal)

    def _read_by(self, positions: tuple[int, ...]) -> Reads:
        return union_of(self._reads[position] for position in positions)

    def _facts(self, positions: tuple[int, ...]) -> tuple[Getter, ...]:
        facts = self._read_by(positions).facts - OPEN_FACTS
        return tuple(FACTS[fact] for fact in sorted(facts))

    def bucket(self, positions: tuple[int, ...]) -> Bucket:
        """The policies at `positions`, parsed."""
        bucket = self._buckets.get(positions)
        if bucket is None:
            bucket = self._buckets[positions] = self._parse_bucket(positions)
        return bucket

    def _parse_bucket(self, positions: tuple[int, ...]) -> Bucket:
        held = [self._policies[position] for position in positions]
        trees = tuple(policy.tree for policy in held)
        return Bucket(
            policies=PolicySet.from_str("\n".join(policy.text for policy in held)),
            # Cedar numbers the policies of a text in the order they stand in it.
            names={f"policy{number}": policy.id for number, policy in enumerate(held)},
            trees=trees,
            reads_open=self._read_openly(positions),
            reads_history=self._past_read_by(positions),
        )

    def _read_openly(self, positions: Iterable[int]) -> frozenset[str]:
        return frozenset().union(*(self._open[position] for position in positions))

    def _past_read_by(self, positions: tuple[int, ...]) -> frozenset[str]:
        # What cannot be understood counts as reading everything. But none may take the whole context as a value
        # (`check`), so that a policy which nowhere says `context.history` does not read it, whatever else it does.
        saying = tuple(position for position in positions if HISTORY in self._open[position])
        names = self._read_by(saying).history
        return frozenset(self._history if names is None else names & self._history.keys())
