"""The annotations of a policy: which there are, and what is wrong with one.

Refused: an annotation that nobody reads; a value that says nothing; an argument that nothing the policy is about
declares; a role that there is not; one that makes no sense of a `permit`, or of a `forbid`; one that asks
for something besides, on a policy about the issuance of tokens, where nothing of it could be met.

Source: docs/reference/policies.md, annotations.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from remit.documents import did_you_mean, one_of
from remit.model import ACR_VALUES, Mode
from remit.policy.duties import age_of, limit_of, strengths_of, words_of
from remit.policy.obligation import ObligationKind

__all__ = ["ANNOTATIONS", "About", "Mistake", "mistakes_in"]

ANNOTATIONS: Final = frozenset(
    {"id", "refusal", "description", "owner", "mode", *(kind.value for kind in ObligationKind)}
)
_MAX_REFUSAL: Final = 300
_NAMED: Final = re.compile(r"[a-z][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What a policy is about. `None`: it cannot be told yet, and is not held against it."""

    effect: str
    issuance: bool
    arguments: Collection[str] | None
    roles: Collection[str] | None
    scopes: Collection[str] | None = None


@dataclass(frozen=True, slots=True)
class Mistake:
    """What is wrong with the annotation `at`."""

    message: str
    at: str
    expected: str = ""


def mistakes_in(annotations: Mapping[str, str], about: About) -> Iterator[Mistake]:
    """Everything that is wrong with the annotations of one policy but for its `@id`."""
    for name in annotations:
        if name not in ANNOTATIONS:
            message = f"unknown annotation `{name}`{did_you_mean(name, ANNOTATIONS)}"
            yield Mistake(message, name, one_of(ANNOTATIONS))
    yield from _of_refusal(annotations.get("refusal"), about)
    yield from _of_mode(annotations.get("mode"), about)
    asked = [kind for kind in ObligationKind if kind.value in annotations]
    for kind in asked:
        yield from _of_value(kind, annotations[kind.value].strip(), about)
    if asked and about.issuance:
        yield Mistake(
            f"`@{asked[0].value}` on a policy that is about issuing tokens, too",
            asked[0].value,
            'a policy about calls alone: `action in Remit::Action::"call"`',
        )


def _of_refusal(refusal: str | None, about: About) -> Iterator[Mistake]:
    if refusal is None:
        return
    if about.effect == "permit":
        yield Mistake("a `permit` refuses nothing, so its `@refusal` is never shown", "refusal")
    elif not refusal.strip() or len(refusal) > _MAX_REFUSAL or not refusal.isprintable():
        expected = f"one line of 1 to {_MAX_REFUSAL} printable characters"
        yield Mistake("the `@refusal` cannot be shown", "refusal", expected)


def _of_mode(mode: str | None, about: About) -> Iterator[Mistake]:
    if mode is None:
        return
    modes = [one.value for one in Mode]
    if mode not in modes:
        yield Mistake(
            f"unknown `@mode` `{_shown(mode)}`{did_you_mean(mode, modes)}", "mode", one_of(modes)
        )
    elif mode == Mode.OBSERVE and about.effect == "permit":
        yield Mistake(
            "a `permit` refuses nothing, so there is nothing to observe",
            "mode",
            "a `forbid`, or `mode: observe` in the file of a server",
        )


def _of_value(kind: ObligationKind, value: str, about: About) -> Iterator[Mistake]:
    match kind:
        case ObligationKind.STEP_UP:
            if age_of(value) is None and not strengths_of(value):
                expected = f"a longest age such as `5m`, or {one_of(ACR_VALUES)}"
                yield _misread(kind, value, did_you_mean(value, ACR_VALUES), expected)
        case ObligationKind.CONFIRM | ObligationKind.REQUIRE_SCOPE:
            yield from _of_name(kind, value, about)
        case ObligationKind.LIMIT:
            if about.effect == "forbid":
                yield Mistake("a `forbid` lets nothing through that could be limited", kind.value)
            elif limit_of(value) is None:
                yield _misread(kind, value, "", "so many calls in so long, such as `10/1h`")
        case ObligationKind.REQUIRE_JUSTIFICATION:
            if _NAMED.fullmatch(value) is None:
                expected = "a name for what is to be told, such as `reason`"
                yield _misread(kind, value, "", expected)
        case ObligationKind.REQUIRE_APPROVAL:
            if about.roles is not None and value not in about.roles:
                yield _misread(kind, value, did_you_mean(value, about.roles), _role(about.roles))
        case ObligationKind.REDACT:
            for name in words_of(value):
                if about.arguments is not None and name not in about.arguments:
                    expected = one_of(about.arguments) or "an argument of what the policy is about"
                    yield _misread(kind, name, did_you_mean(name, about.arguments), expected)


def _of_name(kind: ObligationKind, value: str, about: About) -> Iterator[Mistake]:
    """What names one of a few things: a strength, or a scope."""
    known = ACR_VALUES if kind is ObligationKind.CONFIRM else about.scopes
    if known is not None and value not in known:
        expected = one_of(known) if kind is ObligationKind.CONFIRM else "a scope of `scopes.yaml`"
        yield _misread(kind, value, did_you_mean(value, known), expected)


def _misread(kind: ObligationKind, value: str, meant: str, expected: str) -> Mistake:
    words = {
        ObligationKind.REQUIRE_APPROVAL: "unknown role",
        ObligationKind.REQUIRE_SCOPE: "unknown scope",
        ObligationKind.REDACT: "unknown argument",
    }
    what = words.get(kind, f"`@{kind.value}` cannot be read:")
    return Mistake(f"{what} `{_shown(value)}`{meant}", kind.value, expected)


def _role(roles: Collection[str]) -> str:
    return one_of(roles) or "a role of `roles.yaml`, which has none"


def _shown(text: str) -> str:
    return " ".join("".join(one if one.isprintable() else " " for one in text[:80]).split())
