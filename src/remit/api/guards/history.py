"""`POST /guard/v1/history`: what was done before, for calls that a guard inside a server decides.

The guard says which thing of its own server is called, with the very token that the caller brought, and what the call
adds to sums; Remit finds out whose past that is, and what counts, by itself. Refused: a token that is not for this
server or does not verify; a thing that it has not; an amount that is missing, below nought or not exact; a fact that is
not declared; a moment too far from ours. What a guard has counted it may take back while the call is under way, and
nobody else's.

Source: docs/reference/guard.md; docs/adr/0020-history.md.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import ClassVar, Final

from remit.audit.context import Context
from remit.canonical import Json, JsonObject
from remit.clock import Clock, EpochSeconds
from remit.errors import Error
from remit.guard.call import Call, Earlier
from remit.guard.ports import Directory, Past
from remit.guard.target import Target, find_target
from remit.guard.use import Entry, Use, entries_of
from remit.ids import ServerName
from remit.model import HistoryFact, Server
from remit.policy import ResourceKind
from remit.policy.history import history_json
from remit.tokens import AccessToken, InvalidTokenError, TokenVerifier, resource_of

__all__ = ["BadUseError", "HistoryAnswers"]

_MEMBERS: Final = frozenset(
    {"do", "use", "at", "token", "kind", "name", "amounts", "reads", "again"}
)
_EARLIER: Final = "earlier"
_USE: Final = re.compile(r"dec_[0-9a-z]{26}")
_AMOUNT: Final = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,4})?")
_MOST_APART: Final = 60
"""Seconds between the clock of a guard and ours."""
_UNDER_WAY: Final = 600


class BadUseError(Error):
    """What the guard says it would count is nothing that can be counted."""

    code: ClassVar[str] = "invalid_request"


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryAnswers:
    """Counts, tells and takes back on behalf of guards."""

    directory: Directory
    verifier: TokenVerifier
    past: Past
    clock: Clock
    public_url: str

    async def answer(self, server: Server, asked: JsonObject) -> JsonObject:
        """What is told to the guard inside `server`.

        Raises:
            BadUseError: see the module.
            PastUnavailableError: it is not known.
        """
        if asked.keys() - {_EARLIER} != _MEMBERS:
            raise BadUseError(f"the members are `{'`, `'.join(sorted(_MEMBERS))}`")
        if asked["do"] not in {"count", "take_back", "set_aside"}:
            raise BadUseError("`do` is `count`, `take_back` or `set_aside`")
        counting = asked["do"] == "count"
        use = self._use(server, asked, patience=_MOST_APART if counting else _UNDER_WAY)
        if not counting:
            await self.past.take_back(replace(use, comes_again=asked["do"] == "set_aside"))
            return {"history": {}}
        return {"history": history_json(await self.past.come_to(use))}

    def _use(self, server: Server, asked: JsonObject, *, patience: int) -> Use:
        one, target = self._named(server, asked, patience=patience), _target(server, asked)
        return Use(
            id=one.decision_id,
            at=one.at,
            call=replace(_call(server, target), earlier=self._earlier(server, asked)),
            entries=self._entries(self._token(server, asked), target, asked),
        )

    def _named(self, server: Server, asked: Mapping[str, Json], *, patience: int) -> Earlier:
        identifier, at = asked.get("use"), asked.get("at")
        if not isinstance(identifier, str) or _USE.fullmatch(identifier) is None:
            raise BadUseError("`use` is not the id of a decision")
        if type(at) is not int or abs(self.clock.now() - at) > patience:
            raise BadUseError("`at` is no moment near ours")
        # INVARIANT: no guard has a use of the gateway's or of another guard's.
        return Earlier(f"{server.name}:{identifier}", EpochSeconds(at))

    def _earlier(self, server: Server, asked: JsonObject) -> Earlier | None:
        if _EARLIER not in asked:
            return None
        said = asked[_EARLIER]
        if not isinstance(said, dict) or said.keys() != {"use", "at"}:
            raise BadUseError("`earlier` is an object with `use` and `at`")
        return self._named(server, said, patience=_UNDER_WAY)

    def _token(self, server: Server, asked: JsonObject) -> AccessToken:
        raw = asked["token"]
        if not isinstance(raw, str):
            raise BadUseError("`token` is no token")
        try:
            token = self.verifier.verify(raw, audience=resource_of(self.public_url, server))
        except InvalidTokenError as error:
            raise BadUseError("the token is not good for this server", cause=error) from error
        if server.tenant not in {None, token.organization_id}:
            raise BadUseError("the token is not good for this server")
        return token

    def _entries(self, token: AccessToken, target: Target, asked: JsonObject) -> tuple[Entry, ...]:
        declared = self.directory.catalog.history
        reads, amounts, again = asked["reads"], asked["amounts"], asked["again"]
        if not isinstance(reads, list) or not all(name in declared for name in reads):
            raise BadUseError("`reads` names a fact that is not declared")
        if not isinstance(amounts, dict) or type(again) is not bool:
            raise BadUseError("`amounts` is an object, `again` a truth value")
        return entries_of(
            token,
            target,
            history=declared,
            reads=[str(name) for name in reads],
            amount_of=lambda fact: _amount(amounts, fact),
            again=again,
        )


def _target(server: Server, asked: Mapping[str, Json]) -> Target:
    kind, name = asked["kind"], asked["name"]
    known = next((one for one in ResourceKind if one.value == kind), None)
    target = find_target(server, known, name) if isinstance(name, str) else None
    if target is None:
        raise BadUseError("this server has nothing of that kind and name")
    return target


def _amount(amounts: Mapping[str, Json], fact: HistoryFact) -> Decimal:
    """By what is measured and not by the name alone: a guard that has another fact of that name is refused."""
    text = amounts.get(fact.account)
    if not isinstance(text, str) or _AMOUNT.fullmatch(text) is None:
        raise BadUseError(f"what the call adds to `{fact.name}` is missing, or no amount")
    return Decimal(text)


def _call(server: Server, target: Target) -> Call:
    return Call(
        server=ServerName(server.name),
        method="guard",
        authorization=(),
        context=Context(),
        kind=target.facts.kind,
        name=target.facts.name,
    )
