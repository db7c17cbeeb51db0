"""Whether what a decision was begun on still holds once it is there.

A decision may be waited for: an engine in another process, what was done before. Who is stopped meanwhile has to be
stopped all the same, so standing, time and quarantine are looked at once more. The catalog and the policies are not: a
call that began with one bundle ends with it. Only an agent that is declared no more is nobody's.

Source: MISSION E2, G2; docs/architecture.md, "a call through the gateway".
"""

from dataclasses import replace

from remit.clock import Seconds
from remit.guard.outcome import RefusalReason
from remit.guard.ports import Directory
from remit.guard.refusal import Refusal, no_longer_good, quarantined, refused, stale
from remit.guard.standing import agent_of, is_backed, is_fresh
from remit.guard.verdict import Allowance, Shown
from remit.tokens.verify import TokenVerifier

__all__ = ["lapsed"]


def lapsed(
    verdict: Allowance | Shown, directory: Directory, *, verifier: TokenVerifier, max_age: Seconds
) -> Refusal | None:
    """What `verdict` was begun on and is not good any more; `None`: all of it is."""
    footing = verdict.footing
    # INVARIANT: what is looked at below follows from the token, the snapshots and the second, and the call was held
    # against those of its footing. Where each is the very same object still, looking again says what was said then.
    # Snapshots are replaced whole: a suspension, a revocation, a quarantine or a catalog is another object.
    if (
        footing is not None
        and directory.standing is footing.standing
        and directory.catalog is footing.catalog
        and directory.definitions is footing.definitions
        and verifier.clock.now() == footing.now
    ):
        return None
    gone = _lapsed(verdict, directory, verifier, max_age)
    if gone is None:
        return None
    target = verdict.target if isinstance(verdict, Allowance) else None
    return replace(gone, target=target, world=verdict.caller.world)


def _lapsed(
    verdict: Allowance | Shown, directory: Directory, verifier: TokenVerifier, max_age: Seconds
) -> Refusal | None:
    caller, standing = verdict.caller, directory.standing
    token = caller.token
    if not is_fresh(standing, verifier.clock.now(), max_age):
        return stale(token)
    if verifier.has_expired(token):
        return refused(RefusalReason.INVALID_TOKEN, "the token has expired", token=token)
    catalog = caller.catalog if caller.world.on_trial else directory.catalog
    if agent_of(token, catalog) is None or not is_backed(token, standing, catalog):
        return no_longer_good(token)
    if isinstance(verdict, Allowance) and verdict.target is not None:
        of = verdict.target.facts
        if (of.server, of.kind, of.name) in directory.definitions.quarantined:
            return quarantined(token)
    return None
