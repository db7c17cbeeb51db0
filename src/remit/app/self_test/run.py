"""The self-test: before anybody is answered, calls that have to be refused are made, through the real path.

The application that faces the network is asked in this process: gateway, guard, decision point,
audit log, as they will serve. Every call must be refused and stand in the log as
refused, and no server may have been asked. A policy that fails must refuse, too. Otherwise
`SelfTestFailedError`, and Remit does not open.

What is tried is in nobody's account: its records name the self-test as who acted, it is no
decision in the metrics, and uses up no limit.

Source: MISSION B6; docs/reference/gateway.md, "the self-test".
"""

import asyncio
from collections import Counter
from dataclasses import replace
from typing import ClassVar, Final

import structlog
from starlette.types import ASGIApp

from remit.app.parts import Parts
from remit.app.seal import Seal
from remit.app.self_test.attempts import (
    REVOKED,
    Attempt,
    Issuing,
    attempts_on,
    management_attempts,
)
from remit.app.self_test.canary import failing_policy_refuses
from remit.app.self_test.records import records_since, size_of
from remit.app.self_test.request import ask
from remit.audit.context import Context
from remit.audit.events import SelfTestFinished
from remit.errors import Error
from remit.guard.records import SELF_TEST
from remit.tokens import KeySet, SigningKey

__all__ = ["SelfTest", "SelfTestFailedError"]

_log = structlog.stdlib.get_logger("remit")

_MOST: Final = 16
_SECONDS: Final = 5.0
_CANARY: Final = "a policy that fails does not refuse"
_REFUSED: Final = frozenset({"deny", "challenge"})


class SelfTestFailedError(Error):
    """What has to be refused was not, or its refusal is not in the log."""

    code: ClassVar[str] = "self_test_failed"


class SelfTest:
    """Run once, before anything is listened to. `tried` is how much was, and `None` before."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.seal = Seal()
        self.tried: int | None = None

    async def run(self, application: ASGIApp) -> None:
        """Try `application`, which is what the network will reach.

        Raises:
            SelfTestFailedError: `detail` names the first thing that was not refused.
            AuditUnavailableError: the log does not take the result.
        """
        parts = self._parts
        attempts = self._attempts()
        stores = parts.stores
        start = await asyncio.to_thread(size_of, stores.source, stores.log_name)
        with self.seal.closed():
            failed = await self._try(application, attempts)
            if self.seal.asked:
                failed.append(f"{self.seal.asked} calls were on their way to a server")
        # The last refusals were waited for, so whatever was queued before them is there, too.
        failed += await asyncio.to_thread(self._unrecorded, start, attempts)
        if not failing_policy_refuses(parts.directory.catalog, parts.clock):
            failed.append(_CANARY)
        self.tried = len(attempts) + 1
        await parts.stores.audit.append(
            SelfTestFinished(
                context=Context(actor=SELF_TEST), tried=self.tried, failed=tuple(failed[:_MOST])
            )
        )
        if failed:
            raise SelfTestFailedError(f"the self-test failed: {failed[0]}")
        _log.info("self_test", tried=self.tried)

    def _attempts(self) -> list[Attempt]:
        parts = self._parts
        catalog = parts.directory.catalog
        now = parts.clock.now()
        issuing = Issuing(
            keys=parts.keys,
            foreign=KeySet([SigningKey.generate(now)]),
            url=parts.settings.issuer,
            now=now,
        )
        found: list[Attempt] = []
        for name in sorted(catalog.servers)[:_MOST]:
            found += attempts_on(catalog.servers[name], catalog, issuing)
        return found + management_attempts(catalog, issuing)

    async def _try(self, application: ASGIApp, attempts: list[Attempt]) -> list[str]:
        """What of `attempts` was not refused, in words."""
        parts = self._parts
        standing = parts.directory.standing
        revoked = standing.revoked_grants | {REVOKED}
        parts.directory.publish(replace(standing, revoked_grants=revoked))
        try:
            strangers = (_try(application, one) for one in attempts if not one.is_known)
            found = await asyncio.gather(*strangers)
            for attempt in attempts:
                if attempt.is_known:
                    # One after another, and each as the first: no limit is to answer instead.
                    parts.guard.forget_counts()
                    found.append(await _try(application, attempt))
        finally:
            parts.directory.publish(standing)
            parts.guard.forget_counts()
            # What is refused here would raise what is usual, of agents that never called.
            parts.desk.forget_counts()
        return [one for one in found if one is not None]

    def _unrecorded(self, start: int, attempts: list[Attempt]) -> list[str]:
        """At which servers not every refusal stands in the log as one, and nothing but refusals."""
        stores = self._parts.stores
        records = records_since(stores.source, stores.log_name, start)
        refused = Counter(
            str(one.get("server")) for one in records if one.get("outcome") in _REFUSED
        )
        wanted = Counter(str(attempt.server) for attempt in attempts)
        return [
            f"of {count} refusals at {server}, {refused[server]} are in the log"
            for server, count in wanted.items()
            if refused[server] != count
        ]


async def _try(application: ASGIApp, attempt: Attempt) -> str | None:
    """What is wrong, if `attempt` is not refused."""
    try:
        async with asyncio.timeout(_SECONDS):
            answer = await ask(application, attempt.request)
    except TimeoutError:
        return f"{attempt.name} was not answered"
    return None if answer.reason in attempt.reasons else f"{attempt.name} was not refused"
