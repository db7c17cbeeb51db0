"""What another policy repository declares otherwise, each change with what it does to what may be done.

Whether a change widens is judged conservatively: what cannot be told to narrow or to leave alone
is said to widen, and why. A change is privileged when it lets somebody do more with a scope that
is sensitive, or loosens the rules by which such changes are judged.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from remit.canonical import Json, JsonObject
from remit.ids import ScopeName

__all__ = ["Area", "Change", "Difference", "Effect", "Kind"]


class Area(StrEnum):
    """What a change is about."""

    POLICY = "policy"
    ROLE = "role"
    ASSIGNMENT = "role assignment"
    AGENT = "agent"
    SCOPE = "scope"
    HIERARCHY = "scope hierarchy"
    GUARDRAIL = "guardrail"
    TENANT = "tenant"
    ENVIRONMENT = "environment"
    SERVER = "server"
    TOOL = "tool"
    RESOURCE = "resource"
    PROMPT = "prompt"
    ENGINE = "engine"
    NETWORK = "network"
    HISTORY = "history"
    REGISTRATION = "registration"
    SIGN_IN = "sign-in"
    TRUST = "trust"
    ISSUER = "issuer"
    DEPLOYMENT = "deployment"


class Kind(StrEnum):
    """Whether there is something new, something less, or something else."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


class Effect(StrEnum):
    """What it does to what may be done, for certain or, where that cannot be told, at most."""

    WIDENS = "widens"
    MAY_WIDEN = "may widen"
    """What it does cannot be told from the declaration alone; it is treated as widening."""
    NARROWS = "narrows"
    NEITHER = "neither"

    @property
    def is_widening(self) -> bool:
        """Whether somebody may be able to do more, as far as can be told."""
        return self in {Effect.WIDENS, Effect.MAY_WIDEN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change. `what` is a short sentence for people; `before` and `after` are texts, empty for nothing.

    `name` is that of the thing: a policy's `@id`, `crm/get_account`, a role. `part` says which of its
    properties changed, empty for the whole. `scopes` are those that are gained or lost by it.
    """

    area: Area
    kind: Kind
    name: str
    what: str
    effect: Effect
    part: str = ""
    before: str = ""
    after: str = ""
    privileged: bool = False
    scopes: tuple[ScopeName, ...] = ()
    lines: tuple[str, ...] = ()
    """Of a policy's text: a unified difference, line by line, without heads."""

    def as_json(self) -> JsonObject:
        """The change for programs; members that say nothing are left out."""
        said: JsonObject = {
            "area": self.area.value,
            "kind": self.kind.value,
            "name": self.name,
            "part": self.part,
            "what": self.what,
            "effect": self.effect.value,
            "privileged": self.privileged,
            "before": self.before,
            "after": self.after,
            "scopes": list(self.scopes),
            "lines": list(self.lines),
        }
        always = {"area", "kind", "name", "what", "effect", "privileged"}
        return {name: value for name, value in said.items() if name in always or value}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Every change from the repository `old` to `new`, which are their digests; widening ones first."""

    old: str
    new: str
    changes: tuple[Change, ...]

    @property
    def widening(self) -> tuple[Change, ...]:
        """What lets somebody do more, or may."""
        return tuple(one for one in self.changes if one.effect.is_widening)

    @property
    def narrowing(self) -> tuple[Change, ...]:
        """What lets somebody do less."""
        return tuple(one for one in self.changes if one.effect is Effect.NARROWS)

    @property
    def privileged(self) -> tuple[Change, ...]:
        """What widens, or may widen, something privileged: this is what a second person is for."""
        return tuple(one for one in self.widening if one.privileged)

    def as_json(self) -> JsonObject:
        """The difference for programs."""
        changes: list[Json] = [one.as_json() for one in self.changes]
        return {
            "old": self.old,
            "new": self.new,
            "widening": len(self.widening),
            "narrowing": len(self.narrowing),
            "privileged": len(self.privileged),
            "changes": changes,
        }

    @classmethod
    def of_json(cls, said: Mapping[str, Json]) -> "Difference":
        """What `as_json` said."""
        raw = said["changes"]
        changes = raw if isinstance(raw, list) else []
        return cls(
            old=str(said["old"]),
            new=str(said["new"]),
            changes=tuple(_change(one) for one in changes if isinstance(one, dict)),
        )


def _change(said: JsonObject) -> Change:
    def text(name: str) -> str:
        return str(said.get(name) or "")

    def texts(name: str) -> tuple[str, ...]:
        found = said.get(name)
        return tuple(str(one) for one in found) if isinstance(found, list) else ()

    return Change(
        area=Area(text("area")),
        kind=Kind(text("kind")),
        name=text("name"),
        what=text("what"),
        effect=Effect(text("effect")),
        part=text("part"),
        before=text("before"),
        after=text("after"),
        privileged=bool(said.get("privileged")),
        scopes=tuple(ScopeName(one) for one in texts("scopes")),
        lines=texts("lines"),
    )
