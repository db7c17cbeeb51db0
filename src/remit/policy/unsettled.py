"""What policies say while some of the circumstances are not known: who permits, who forbids, who might.

An answer is never guessed. Cedar decides as far as it can and leaves of each policy what depends on
what is open; a policy that is left over might apply, and what it still looks at is told. An attribute
that a question may lack (`ip`, `justification`, `told`) is tried as lacking besides, so that a policy that
asks for it counts as one that might refuse. A policy that fails is an error, as it would be in a call.

Source: Cedar partial evaluation; docs/adr/0006-cedar-and-the-error-rule.md.
"""

from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from cedarpy import Entities, PolicySet, is_authorized_partial
from cedarpy.pst import EntityLit, EntityType, EntityUid, GetAttr, HasAttr, Template
from cedarpy.pst import PolicySet as PolicySetTree

from remit.canonical import JsonObject, canonical_text, parse_json
from remit.policy.buckets import could_matter
from remit.policy.cedar_request import (
    action_of,
    argument_json,
    open_entities,
    principal_uid,
    resource_entities,
    resource_uid,
)
from remit.policy.check import CheckedPolicy
from remit.policy.decision import RuleEffect
from remit.policy.evaluation import ArgumentValue, Evaluation, Phase
from remit.policy.reads import path_of
from remit.policy.vocabulary import (
    ACTION_TYPE,
    ARGUMENTS,
    CIRCUMSTANCES_ID,
    CIRCUMSTANCES_TYPE,
    ISSUE,
    NAMESPACE,
    group_names,
)

__all__ = [
    "ANY_CALL",
    "ANY_TOKEN",
    "LOG_IN",
    "Attribute",
    "OpenPolicies",
    "OpenPolicy",
    "Unsettled",
]

N = TypeVar("N")
Attribute = tuple[str, ...]
"""Attributes of `context` that are not known: `("time",)`, `("token", "acr")`."""

LOG_IN: Final[frozenset[Attribute]] = frozenset(
    {("token", "acr"), ("token", "amr"), ("token", "auth_time")}
)
ANY_TOKEN: Final[frozenset[Attribute]] = LOG_IN | {("token", "client_id")}
ANY_CALL: Final[frozenset[Attribute]] = ANY_TOKEN | {
    (ARGUMENTS,), ("time",), ("ip",), ("networks",), ("justification",), ("told",),
    ("history",), ("elevation",),
}  # fmt: skip
"""All that nobody knows before a call comes."""

_LACKED: Final[tuple[Attribute, ...]] = (("ip",), ("justification",), ("told",))
_CIRCUMSTANCES: Final = EntityLit(
    value=EntityUid(
        type=EntityType(basename=CIRCUMSTANCES_TYPE, namespace=(NAMESPACE,)), id=CIRCUMSTANCES_ID
    )
)
_ESCAPES: Final = MappingProxyType(
    {"\\": "\\\\", '"': '\\"', "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
)
_SURE, _NEVER = True, False


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPolicy:
    """A policy that might apply, and what of the question that is not known it still looks at.

    `left` is what Cedar left of it: two with the same are the same question.
    """

    id: str
    effect: RuleEffect
    reads: tuple[str, ...]
    left: str = field(default="", compare=False, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsettled:
    """What is sure, and what depends. `errors` are what Cedar reported: each is a refusal."""

    permits: tuple[str, ...]
    forbids: tuple[str, ...]
    might: tuple[OpenPolicy, ...]
    errors: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether it is refused whatever is not known."""
        may_permit = bool(self.permits) or any(
            one.effect is RuleEffect.PERMIT for one in self.might
        )
        return bool(self.forbids) or bool(self.errors) or not may_permit

    @property
    def allowed(self) -> bool:
        """Whether it is allowed whatever is not known."""
        may_forbid = any(one.effect is RuleEffect.FORBID for one in self.might)
        return bool(self.permits) and not (self.refused or may_forbid)

    @property
    def in_the_way(self) -> tuple[OpenPolicy, ...]:
        """What might still refuse: forbids; and permits, while nothing permits for sure."""
        return tuple(
            one for one in self.might if one.effect is RuleEffect.FORBID or not self.permits
        )


class OpenPolicies:
    """Checked policies, none of which reads the whole context, ready for questions of which a part is open."""

    __slots__ = ("_about", "_policies", "_rewritten")

    def __init__(self, policies: Sequence[CheckedPolicy]) -> None:
        self._policies = tuple(policies)
        self._about: dict[str, _About] = {}
        self._rewritten: dict[Hashable, PolicySet] = {}

    def settle(
        self,
        evaluation: Evaluation,
        *,
        open_to: frozenset[Attribute],
        known: Mapping[str, ArgumentValue] | None = None,
        declared: Collection[str] | None = None,
        only: str | None = None,
    ) -> Unsettled:
        """What they say of `evaluation` when nothing is known of `open_to` but the arguments `known`.

        `declared` are the arguments that the action has at all; `None`: it may have any.
        `only`: what that one policy says, as if there were no other.
        """
        about = self._about_action(evaluation)
        absent = frozenset() if declared is None else about.arguments - frozenset(declared)
        given = dict(known or evaluation.context.arguments or {})
        if evaluation.phase is Phase.ISSUE or evaluation.context.arguments is not None:
            open_to = open_to - {(ARGUMENTS,)}
        trees = about.trees if only is None else {only: about.trees[only]}
        lacked = [one for one in _LACKED if one in open_to and one in about.read]
        findings = [
            self._findings(evaluation, trees, given=given, opened=_Opened(open_to, absent, lacking))
            for lacking in (None, *lacked)
        ]
        return _merged(trees, findings)

    def _about_action(self, evaluation: Evaluation) -> "_About":
        action, resource = action_of(evaluation), evaluation.resource
        found = self._about.get(action)
        if found is None:
            groups = () if action == ISSUE else group_names(resource.server, resource.operation)
            positions = could_matter(self._policies, action, groups)
            trees = {self._policies[at].id: self._policies[at].tree for at in positions}
            paths = {path for tree in trees.values() for path in _context_paths(tree)}
            found = self._about[action] = _About(
                trees,
                read=frozenset(path[:1] for path in paths),
                arguments=frozenset(p[1] for p in paths if p[0] == ARGUMENTS and len(p) > 1),
            )
        return found

    def _findings(
        self,
        evaluation: Evaluation,
        trees: Mapping[str, Template],
        *,
        given: Mapping[str, ArgumentValue],
        opened: "_Opened",
    ) -> "_Findings":
        open_to, lacking = opened.to, opened.lacking
        held = frozenset((ARGUMENTS, name) for name in (*given, *opened.absent))
        name = (tuple(trees), open_to, held)
        policies = self._rewritten.get(name)
        if policies is None:
            policies = self._rewritten[name] = _parsed(trees, open_to, held)
        action = action_of(evaluation)
        left = {path[0] for path in open_to if path != lacking}
        request = {
            "principal": _literal(principal_uid(evaluation.subject)),
            "action": _literal({"type": ACTION_TYPE, "id": action}),
            "resource": _literal(resource_uid(evaluation.resource)),
            "context": canonical_text({name: _unknown(name) for name in sorted(left)}),
        }
        entities = Entities.from_json_str(resource_entities(evaluation.resource, action))
        result = is_authorized_partial(
            request, policies, entities.with_added_json_str(_circumstances(evaluation, given))
        )
        residuals, errors = result.residuals, tuple(result.diagnostics.errors)
        if errors or set(residuals) < set(trees):
            return _Findings({}, errors or ("cedar came to no decision",), lacking)
        return _Findings({one: _verdict(residuals[one]) for one in trees}, (), lacking, residuals)


@dataclass(frozen=True, slots=True)
class _About:
    """The policies that can matter to an action, and the attributes of `context` that any of them names."""

    trees: Mapping[str, Template]
    read: frozenset[Attribute]
    arguments: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Opened:
    """What is not known, which arguments there never are, and which attribute the question is to lack."""

    to: frozenset[Attribute]
    absent: frozenset[str]
    lacking: Attribute | None


@dataclass(frozen=True, slots=True)
class _Findings:
    """Of each policy whether it applies: surely, never, or by what it reads."""

    of: Mapping[str, bool | tuple[str, ...]]
    errors: tuple[str, ...]
    lacking: Attribute | None
    residuals: Mapping[str, Any] = field(default_factory=dict)


def _parsed(
    trees: Mapping[str, Template], open_to: frozenset[Attribute], held: frozenset[Attribute]
) -> PolicySet:
    rewritten = {
        name: replace(_rewritten(tree, open_to, held), id=name) for name, tree in trees.items()
    }
    return PolicySet.from_pst(
        PolicySetTree(templates={}, static_policies=rewritten, template_links=())
    )


def _verdict(residual: Any) -> bool | tuple[str, ...]:
    """What is left of a policy: nothing that is open, or what it looks at."""
    bodies = [one["body"] for one in residual["conditions"]]
    if all(body == {"Value": True} for body in bodies):
        return _SURE
    if any(body == {"Value": False} for body in bodies):
        return _NEVER
    return tuple(sorted({".".join(("context", *path)) for path in _left(bodies)}))


def _merged(about: Mapping[str, Template], findings: Sequence[_Findings]) -> Unsettled:
    errors = tuple(dict.fromkeys(error for one in findings for error in one.errors))
    permits: list[str] = []
    forbids: list[str] = []
    might: list[OpenPolicy] = []
    for name, tree in about.items():
        effect = RuleEffect(tree.effect)
        verdicts = [(one, one.of.get(name, _NEVER)) for one in findings]
        if all(verdict is _NEVER for _, verdict in verdicts):
            continue
        if all(verdict is _SURE for _, verdict in verdicts):
            (permits if effect is RuleEffect.PERMIT else forbids).append(name)
            continue
        reads = {path for _, verdict in verdicts if isinstance(verdict, tuple) for path in verdict}
        first = verdicts[0][1]
        reads |= {
            ".".join(("context", *one.lacking))
            for one, verdict in verdicts
            if one.lacking is not None and verdict != first
        }
        left = canonical_text([one.residuals[name] for one in findings])
        might.append(OpenPolicy(id=name, effect=effect, reads=tuple(sorted(reads)), left=left))
    return Unsettled(
        permits=tuple(permits), forbids=tuple(forbids), might=tuple(might), errors=errors
    )


def _rewritten(node: N, open_to: frozenset[Attribute], held: frozenset[Attribute]) -> N:
    """`node` with all that is known of `context` read from the circumstances."""
    path = _context_path(node)
    if path is not None:
        is_open = (path[:1] in open_to or path[:2] in open_to) and path[:2] not in held
        return node if is_open else _rooted(node)
    if isinstance(node, tuple):
        return tuple(_rewritten(item, open_to, held) for item in node)  # type: ignore[return-value]
    if isinstance(node, Mapping):
        return {name: _rewritten(item, open_to, held) for name, item in node.items()}  # type: ignore[return-value]
    if is_dataclass(node) and not isinstance(node, type):
        below = {
            one.name: _rewritten(getattr(node, one.name), open_to, held) for one in fields(node)
        }
        return replace(node, **below)
    return node


def _rooted(node: Any) -> Any:
    """The chain of attributes `node`, beginning at the circumstances instead of at `context`."""
    if isinstance(node, GetAttr | HasAttr):
        return replace(node, base=_rooted(node.base))
    return _CIRCUMSTANCES


def _context_path(node: object) -> Attribute | None:
    """The attribute of `context` that an expression is, or asks for; `None` if it is no such expression."""
    match node:
        case GetAttr():
            path = path_of(node)
        case HasAttr(base=base, attrs=attributes):
            path = path_of(base)
            path = None if path is None else (*path, *attributes)
        case _:
            return None
    return path[1:] if path is not None and path[0] == "context" and len(path) > 1 else None


def _context_paths(root: object) -> Iterator[Attribute]:
    stack = [root]
    while stack:
        node = stack.pop()
        path = _context_path(node)
        if path is not None:
            yield path
        elif isinstance(node, Mapping):
            stack.extend(node.values())
        elif isinstance(node, tuple):
            stack.extend(node)
        elif is_dataclass(node) and not isinstance(node, type):
            stack.extend(getattr(node, one.name) for one in fields(node))


def _left(node: Any) -> Iterator[Attribute]:
    """The paths below unknown values in what Cedar left of a policy."""
    path = _left_path(node)
    if path is not None:
        yield path
    elif isinstance(node, dict):
        for below in node.values():
            yield from _left(below)
    elif isinstance(node, list):
        for below in node:
            yield from _left(below)


def _left_path(node: Any) -> Attribute | None:
    if not isinstance(node, dict) or len(node) != 1:
        return None
    match node:
        case {"unknown": [{"Value": str(name)}]}:
            return (name,)
        case {".": {"left": left, "attr": str(attribute)}} | {
            "has": {"left": left, "attr": str(attribute)}
        }:
            base = _left_path(left)
            return None if base is None else (*base, attribute)
        case {"has": {"left": left, "attr": [*attributes]}}:
            base = _left_path(left)
            return None if base is None else (*base, *map(str, attributes))
        case _:
            return None


def _circumstances(evaluation: Evaluation, given: Mapping[str, ArgumentValue]) -> str:
    """The principal, and all of the context that is known, with the arguments `given` among it."""
    found: Any = parse_json(open_entities(evaluation).encode())
    for one in found:
        if one["uid"]["id"] == CIRCUMSTANCES_ID:
            one["attrs"][ARGUMENTS] = {name: argument_json(value) for name, value in given.items()}
    return canonical_text(found)


def _unknown(name: str) -> JsonObject:
    return {"__extn": {"fn": "unknown", "arg": name}}


def _literal(uid: Mapping[str, str]) -> str:
    # As Rust's `escape_debug`, which Cedar demands to the letter.
    spelt = "".join(
        _ESCAPES.get(one, one if one.isprintable() else f"\\u{{{ord(one):x}}}") for one in uid["id"]
    )
    return f'{uid["type"]}::"{spelt}"'
