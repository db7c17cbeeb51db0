"""The part of a context that some policies look at, and the schema of that part.

Most of what putting a question to Cedar costs is the context: reading it, and holding it against
the schema. What is left out here nothing looks at (`reads`), and of what is put in, each
attribute has the type the whole schema gives it.

Source: Cedar JSON schema and context format; docs/adr/0012-reused-decisions.md.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from cedarpy import Schema

from remit.canonical import Json, JsonObject, canonical_text
from remit.model import Argument, HistoryFact
from remit.policy.cedar_request import address_json, argument_json, history_json
from remit.policy.evaluation import Evaluation
from remit.policy.facts import (
    ARGUMENTS_FACT,
    FACTS,
    HISTORY_FACT,
    JUSTIFICATION_FACT,
    OPEN_FACTS,
    TOLD_FACT,
    Getter,
)
from remit.policy.reads import Reads
from remit.policy.schema import schema_of_part
from remit.policy.vocabulary import ARGUMENTS, HISTORY, TOLD

__all__ = ["ReadContext"]

_IP: Final = ("context", "ip")
_PLAIN: Final = (("context", "networks"), ("context", "environment"), JUSTIFICATION_FACT)


@dataclass(frozen=True, slots=True)
class ReadContext:
    """Which attributes go into the context of a question.

    `groups`: of `agent`, `token` and such the attributes that are read, with what each is; `plain`: those
    that stand by themselves. `arguments` are the names of those that are read, as are `history`; `None` when
    `context.arguments` is not read at all.
    """

    groups: tuple[tuple[str, tuple[tuple[str, Getter], ...]], ...]
    plain: tuple[tuple[str, Getter], ...]
    ip: bool
    told: bool
    history: frozenset[str] | None
    arguments: frozenset[str] | None

    @classmethod
    def of(
        cls,
        reads: Reads,
        declared: Sequence[Argument] | None,
        *,
        history: Mapping[str, HistoryFact],
    ) -> "ReadContext":
        """What of a context `reads` are about, in an action with the arguments `declared`.

        `None`: no call is asked about, which has no arguments, not even none of them; so it is with `issue`.
        """
        facts = reads.facts if declared is not None else reads.facts - OPEN_FACTS
        groups: dict[str, list[tuple[str, Getter]]] = {}
        for fact in sorted(facts):
            if fact[0] == "context" and len(fact) == 3:
                groups.setdefault(fact[1], []).append((fact[2], FACTS[fact]))
        names = None
        if ARGUMENTS_FACT in reads.facts and declared is not None:
            names = frozenset(
                one.name
                for one in declared
                if reads.arguments is None or one.name in reads.arguments
            )
        past = None
        if HISTORY_FACT in facts:
            past = frozenset(history if reads.history is None else reads.history & history.keys())
        return cls(
            groups=tuple((group, tuple(members)) for group, members in groups.items()),
            plain=tuple((fact[1], FACTS[fact]) for fact in _PLAIN if fact in facts),
            ip=_IP in facts,
            told=TOLD_FACT in facts,
            history=past,
            arguments=names,
        )

    def json(self, evaluation: Evaluation) -> str:
        """The context record. Raises whatever a fact raises that cannot be told."""
        facts: dict[str, object] = {}
        for group, members in self.groups:
            facts[group] = {
                name: value for name, of in members if (value := of(evaluation)) is not None
            }
        for name, of in self.plain:
            value = of(evaluation)
            if value is not None:
                facts[name] = value
        context = evaluation.context
        if self.history is not None and context.history is not None:
            facts[HISTORY] = {
                name: history_json(one)
                for name, one in context.history.items()
                if name in self.history
            }
        if self.told and context.told is not None:
            facts[TOLD] = dict(context.told)
        if self.ip and context.ip is not None:
            facts["ip"] = address_json(context.ip)
        given = context.arguments
        if self.arguments is not None and given is not None:
            known: dict[str, Json] = {
                name: argument_json(value)
                for name, value in given.items()
                if name in self.arguments
            }
            facts[ARGUMENTS] = known
        return canonical_text(facts) if facts else "{}"

    def schema(
        self,
        action: str,
        resource_type: str,
        declared: Sequence[Argument] | None,
        *,
        history: Mapping[str, HistoryFact],
        told: Collection[str],
    ) -> Schema:
        """The schema of questions by `action` that bring this context."""
        parts: dict[str, frozenset[str]] = {
            group: frozenset(name for name, _ in members) for group, members in self.groups
        }
        parts |= {name: frozenset() for name, _ in self.plain}
        if self.ip:
            parts["ip"] = frozenset()
        if self.told:
            parts[TOLD] = frozenset()
        past = {name: fact for name, fact in history.items() if name in (self.history or ())}
        if self.history is not None:
            parts[HISTORY] = frozenset()
        read = None
        if self.arguments is not None:
            read = [one for one in declared or () if one.name in self.arguments]
        schema: JsonObject = schema_of_part(
            action, resource_type, parts=parts, arguments=read, history=past, told=told
        )
        return Schema.from_json_str(canonical_text(schema))
