"""Bundles are kept for going back to them and for explaining old decisions; what nobody needs is forgotten on demand.

Kept whatever is asked: what is in force, what it came after, what is on trial, what waits for somebody's word, and the
last few that were in force.
"""

from dataclasses import replace

from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.deployment.activation_store import activations_so_far
from remit.deployment.bundle import Bundle
from remit.deployment.bundle_store import kept_bundle, kept_bundles, remove_bundles
from remit.deployment.proposal_store import ProposalState, proposals_so_far
from remit.deployment.provenance import origin_of
from remit.deployment.sealing import InstallationKey
from remit.deployment.trial_store import running_trial

__all__ = ["exported", "prune_bundles"]

_OPEN = (ProposalState.WAITS, ProposalState.ON_TRIAL, ProposalState.UNREVIEWED)


def exported(
    tx: Transaction, key: InstallationKey, digest: str, *, url: str, now: EpochSeconds
) -> Bundle:
    """The bundle `digest` as it is given to another installation: signed, and with where it was in force.

    Raises:
        NotFoundError: there is none.
        BadSignatureError: it was altered.
    """
    bundle = kept_bundle(tx, key, digest)
    origin = origin_of(key, digest, activations_so_far(tx, key), url=url, now=now)
    return replace(bundle, provenance=origin).with_signature(key.signature(bundle))


def prune_bundles(
    tx: Transaction, key: InstallationKey, *, keep: int, in_force: str
) -> tuple[str, ...]:
    """Forget bundles, but for those that are needed and the `keep` that were in force last; what was forgotten."""
    history = [one.bundle for one in activations_so_far(tx, key)]
    needed = {in_force, *list(dict.fromkeys(history))[:keep]}
    trial = running_trial(tx, key)
    if trial is not None:
        needed |= {trial.bundle, trial.previous}
    for one in proposals_so_far(tx, key):
        if one.state in _OPEN:
            needed |= {one.bundle, one.base}
    removed = tuple(one.digest for one in kept_bundles(tx) if one.digest not in needed)
    remove_bundles(tx, removed)
    return removed
