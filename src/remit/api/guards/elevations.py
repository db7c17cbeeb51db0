"""`POST /guard/v1/elevations`: what people said yes to, for calls that a guard inside a server decides.

The guard says which thing of its own server is called, with which arguments and the very token that the caller brought;
whose call that is, which definition was admitted and what the arguments are to policies Remit finds out by itself.
Refused: a token that is not for this server, does not verify, or does not stand any more; a thing that it has not;
arguments that are not of their types; a need that people do not meet; a moment too far from ours. A guard finds,
spends and asks for calls of its own server alone, and none spends what another decision was given.

Source: docs/reference/guard.md; docs/adr/0025-cures.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar, Final

from remit.canonical import Json, JsonObject
from remit.clock import Clock, EpochSeconds, Seconds
from remit.errors import Error
from remit.guard.codec import UnreadableError, from_json, to_json
from remit.guard.denial import FOR_PEOPLE
from remit.guard.elevations import Elevated, Elevations, Wanted
from remit.guard.facts import InvalidArgumentError, typed_arguments
from remit.guard.justification import InvalidJustificationError, justification_of
from remit.guard.ports import Directory
from remit.guard.standing import is_backed, is_fresh
from remit.guard.target import Target, find_target
from remit.model import Server
from remit.policy import ResourceKind
from remit.policy.duties import is_readable
from remit.policy.obligation import Obligation
from remit.policy.vocabulary import URI_ARGUMENT
from remit.tokens import AccessToken, InvalidTokenError, TokenVerifier, resource_of

__all__ = ["BadWishError", "ElevationAnswers"]

_MEMBERS: Final = frozenset(
    {
        "do", "use", "at", "token", "kind", "name", "arguments", "needs", "justification",
        "elevation", "earlier", "task_of",
    }
)  # fmt: skip
_DECISION: Final = re.compile(r"dec_[0-9a-z]{26}")
_MOST_APART: Final = 60
"""Seconds between the clock of a guard and ours."""
_MOST_NEEDS: Final = 32
_LONGEST_RULE: Final = 256


class BadWishError(Error):
    """What the guard asks is about no call that people could be asked about."""

    code: ClassVar[str] = "invalid_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class ElevationAnswers:
    """Finds, spends and asks on behalf of guards. `max_age`: beyond it nobody knows who may still act."""

    directory: Directory
    verifier: TokenVerifier
    elevations: Elevations
    clock: Clock
    public_url: str
    max_age: Seconds

    async def answer(self, server: Server, asked: JsonObject) -> JsonObject:
        """What is told to the guard inside `server`.

        Raises:
            BadWishError: see the module.
            ElevationsUnavailableError: it cannot be told.
        """
        if asked.keys() != _MEMBERS:
            raise BadWishError(f"the members are `{'`, `'.join(sorted(_MEMBERS))}`")
        if asked["do"] not in {"find", "spend", "ask"}:
            raise BadWishError("`do` is `find`, `spend` or `ask`")
        wanted = self._wanted(server, asked)
        elevated = await self.elevations.found(wanted)
        if asked["do"] == "find":
            return {"elevation": None if elevated is None else to_json(elevated)}
        named = _is_named(elevated, asked)
        if asked["do"] == "spend":
            # INVARIANT: what a guard names is spent only if it is what this very call has.
            spent = elevated is not None and named and await self.elevations.spend(elevated, wanted)
            return {"spent": spent}
        if asked["elevation"] is not None and not named:
            raise BadWishError("`elevation` is not what this call has")
        request = await self.elevations.ask(replace(wanted, held=elevated if named else None))
        return {"asked": None if request is None else to_json(request)}

    def _wanted(self, server: Server, asked: JsonObject) -> Wanted:
        at = asked["at"]
        if type(at) is not int or abs(self.clock.now() - at) > _MOST_APART:
            raise BadWishError("`at` is no moment near ours")
        target, arguments = _target(server, asked), _arguments(asked)
        thing = (server.name, target.facts.kind, target.facts.name)
        try:
            typed = typed_arguments(arguments, target.arguments)
        except InvalidArgumentError as error:
            raise BadWishError(error.detail, cause=error) from error
        return Wanted(
            token=self._token(server, asked),
            thing=thing,
            definition=self.directory.definitions.digests.get(thing),
            arguments=arguments,
            typed=typed,
            needs=_needs(asked),
            justification=_justification(asked),
            decision_id=_decision(server, asked, "use"),
            at=EpochSeconds(at),
            earlier=None if asked["earlier"] is None else _decision(server, asked, "earlier"),
            task_of=None if asked["task_of"] is None else _decision(server, asked, "task_of"),
        )

    def _token(self, server: Server, asked: JsonObject) -> AccessToken:
        raw = asked["token"]
        if not isinstance(raw, str):
            raise BadWishError("`token` is no token")
        try:
            token = self.verifier.verify(raw, audience=resource_of(self.public_url, server))
        except InvalidTokenError as error:
            raise BadWishError("the token is not good for this server", cause=error) from error
        standing, catalog = self.directory.standing, self.directory.catalog
        if (
            server.tenant not in {None, token.organization_id}
            or not is_fresh(standing, self.clock.now(), self.max_age)
            or not is_backed(token, standing, catalog)
        ):
            raise BadWishError("the token is not good for this server")
        return token


def _is_named(elevated: Elevated | None, asked: Mapping[str, Json]) -> bool:
    return elevated is not None and asked["elevation"] == elevated.id


def _target(server: Server, asked: Mapping[str, Json]) -> Target:
    kind, name = asked["kind"], asked["name"]
    known = next((one for one in ResourceKind if one.value == kind), None)
    target = find_target(server, known, name) if isinstance(name, str) else None
    if target is None:
        raise BadWishError("this server has nothing of that kind and name")
    return target


def _arguments(asked: Mapping[str, Json]) -> JsonObject:
    """All that tells one call of a thing from another: of a resource its address."""
    if asked["kind"] == ResourceKind.RESOURCE.value:
        return {URI_ARGUMENT.name: asked["name"]}
    arguments = asked["arguments"]
    if not isinstance(arguments, dict):
        raise BadWishError("`arguments` is not an object")
    return arguments


def _needs(asked: Mapping[str, Json]) -> tuple[Obligation, ...]:
    given = asked["needs"]
    if not isinstance(given, list) or not 0 < len(given) <= _MOST_NEEDS:
        raise BadWishError(f"`needs` is a list of at least one and at most {_MOST_NEEDS}")
    try:
        needs = tuple(from_json(Obligation, one) for one in given)
    except UnreadableError as error:
        raise BadWishError("`needs` holds what is no need", cause=error) from error
    for one in needs:
        if not is_readable(one) or not one.rule.isprintable() or len(one.rule) > _LONGEST_RULE:
            raise BadWishError("`needs` holds what is no need")
    if not FOR_PEOPLE.issuperset(one.kind for one in needs):
        raise BadWishError("`needs` holds what people do not meet")
    return needs


def _justification(asked: Mapping[str, Json]) -> str | None:
    try:
        return justification_of(asked["justification"])
    except InvalidJustificationError as error:
        raise BadWishError(f"`justification`: {error.detail}", cause=error) from error


def _decision(server: Server, asked: Mapping[str, Json], member: str) -> str:
    identifier = asked[member]
    if not isinstance(identifier, str) or _DECISION.fullmatch(identifier) is None:
        raise BadWishError(f"`{member}` is not the id of a decision")
    # INVARIANT: no guard spends what was spent for a decision of the gateway's or of another guard's.
    return f"{server.name}:{identifier}"
