"""Bundles: which are kept, which was in force when, what is on trial; fetched, gone back to, forgotten.

What a bundle holds is everybody's, so only who acts for all organisations may see it.
"""

from typing import Any, Final

from pydantic import Field
from starlette.responses import Response

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Reason, Shape, Text
from remit.api.proposals import ProposalShown, shown_proposal
from remit.clock import EpochSeconds
from remit.db import Transaction
from remit.deployment import (
    Activation,
    KeptBundle,
    Trial,
    activations_so_far,
    bundle_bytes,
    counted,
    exported,
    kept_bundle,
    kept_bundles,
    person_named,
    prune_bundles,
    roll_back,
    running_trial,
)
from remit.errors import NotFoundError

__all__ = ["BUNDLE_OPERATIONS"]


class ActivationShown(Shape):
    """One change of what is in force. `sequence` counts them."""

    sequence: int
    bundle: str
    previous: str
    how: str
    stage: str
    proposal: str | None
    reason: str
    activated_at: int
    activated_by: str


class TrialShown(Shape):
    """A bundle that decides for `share` percent of the agents; `counts` of calls, refusals and agents by `trial`, `beside`, `before`."""

    bundle: str
    previous: str
    share: int
    state: str
    proposal: str
    started_at: int
    until: int
    counts: dict[str, dict[str, int]]


class BundleShown(Shape):
    """A bundle that is kept. `sequence`: of when it came into force last, or `null`."""

    digest: str
    files: int
    size: int
    added_at: int
    added_by: str | None
    is_in_force: bool
    sequence: int | None
    provenance: dict[str, Any]


class BundlePage(Shape):
    """Every bundle, the last first; `in_force` is the digest of what decides, be it a bundle or the folder."""

    in_force: str
    decided_by: str
    stage: str
    bundles: list[BundleShown]
    activations: list[ActivationShown]
    trial: TrialShown | None


class BundleWhole(Shape):
    """A bundle and the digests of its files."""

    digest: str
    files: dict[str, str]
    size: int
    signatures: list[str]
    provenance: dict[str, Any]
    activations: list[ActivationShown]


class BundleContent(Shape):
    """A bundle as it is carried elsewhere."""

    bundle: int
    digest: str
    files: dict[str, str]
    signatures: list[dict[str, str]]
    provenance: dict[str, Any]


class BundleKeyShown(Shape):
    """The public key of this installation, as others name it in `bundle_keys`."""

    keys: list[dict[str, str]]


class Back(Shape):
    """`bundle`: the digest, or enough of it; without it, the bundle before the one in force."""

    bundle: Text | None = None
    reason: Reason = ""


class Prune(Shape):
    """How many of the bundles that were in force last stay, besides what is in force, on trial or proposed."""

    keep: int = Field(default=20, ge=5, le=10_000)


class Pruned(Shape):
    """The digests of what was forgotten."""

    removed: list[str]


async def _list(deps: ApiDeps, _asked: Asked[Nothing, Nothing]) -> BundlePage:
    present = await deps.deployment.refresh()
    key = deps.deployment.key

    def work(
        tx: Transaction,
    ) -> tuple[tuple[KeptBundle, ...], tuple[Activation, ...], TrialShown | None]:
        trial = running_trial(tx, key)
        shown = None if trial is None else _trial(tx, trial)
        return kept_bundles(tx), activations_so_far(tx, key), shown

    kept, activations, trial = await deps.database.read(work)
    return BundlePage(
        in_force=present.loaded.bundle,
        decided_by="folder" if present.activation is None else "bundle",
        stage=deps.deployment.stage,
        bundles=[_shown(one, activations) for one in kept],
        activations=[_activation(one) for one in activations],
        trial=trial,
    )


async def _show(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> BundleWhole:
    digest = await _whole_name(deps, asked.path["bundle"])
    key = deps.deployment.key
    bundle = await deps.database.read(lambda tx: kept_bundle(tx, key, digest))
    activations = await deps.database.read(lambda tx: activations_so_far(tx, key))
    return BundleWhole(
        digest=bundle.digest,
        files=dict(bundle.files),
        size=bundle.size,
        signatures=[one.key for one in bundle.signatures],
        provenance=dict(bundle.provenance),
        activations=[_activation(one) for one in activations if one.bundle == digest],
    )


async def _export(deps: ApiDeps, asked: Asked[Nothing, Nothing]) -> Response:
    digest = await _whole_name(deps, asked.path["bundle"])
    deployment = deps.deployment
    bundle = await deps.database.read(
        lambda tx: exported(tx, deployment.key, digest, url=deployment.url, now=asked.at)
    )
    return Response(bundle_bytes(bundle), media_type="application/json")


async def _key(deps: ApiDeps, _asked: Asked[Nothing, Nothing]) -> BundleKeyShown:
    key = deps.deployment.key
    jwk = {name: str(value) for name, value in key.jwk.items()}
    return BundleKeyShown(keys=[{**jwk, "kid": key.thumbprint}])


async def _roll_back(deps: ApiDeps, asked: Asked[Nothing, Back]) -> ProposalShown:
    by = await deps.database.read(
        lambda tx: person_named(tx, asked.context.actor.id, deps.directory.catalog)
    )
    proposal = await roll_back(
        deps.deployment,
        asked.body.bundle,
        reason=asked.body.reason,
        by=by,
        context=asked.context,
    )
    return await shown_proposal(deps, proposal)


async def _prune(deps: ApiDeps, asked: Asked[Nothing, Prune]) -> Pruned:
    present = await deps.deployment.refresh()
    removed = await deps.database.run(
        lambda tx: prune_bundles(
            tx, deps.deployment.key, keep=asked.body.keep, in_force=present.loaded.bundle
        )
    )
    return Pruned(removed=list(removed))


async def _whole_name(deps: ApiDeps, name: str) -> str:
    """The digest that `name` is the beginning of.

    Raises:
        NotFoundError: of none, or of more than one.
    """
    kept = await deps.database.read(kept_bundles)
    found = [one.digest for one in kept if one.digest.startswith(name)]
    if len(found) != 1:
        raise NotFoundError(
            "more than one bundle begins so" if found else "there is no such bundle"
        )
    return found[0]


def _shown(kept: KeptBundle, activations: tuple[Activation, ...]) -> BundleShown:
    sequences = [one.sequence for one in activations if one.bundle == kept.digest]
    return BundleShown(
        digest=kept.digest,
        files=kept.files,
        size=kept.size,
        added_at=kept.added_at,
        added_by=kept.added_by,
        is_in_force=bool(activations) and activations[0].bundle == kept.digest,
        sequence=max(sequences, default=None),
        provenance=dict(kept.provenance),
    )


def _activation(one: Activation) -> ActivationShown:
    return ActivationShown(
        sequence=one.sequence,
        bundle=one.bundle,
        previous=one.previous,
        how=one.how.value,
        stage=one.stage,
        proposal=one.proposal,
        reason=one.reason,
        activated_at=one.activated_at,
        activated_by=one.activated_by,
    )


def _trial(tx: Transaction, trial: Trial) -> TrialShown:
    found = counted(tx, trial.id)
    return TrialShown(
        bundle=trial.bundle,
        previous=trial.previous,
        share=trial.share,
        state=trial.state.value,
        proposal=trial.proposal,
        started_at=trial.started_at,
        until=EpochSeconds(trial.until),
        counts={
            arm.value: {
                "calls": sum(one.calls for one in agents.values()),
                "refused": sum(one.refused for one in agents.values()),
                "agents": len(agents),
            }
            for arm, agents in found.items()
        },
    )


BUNDLE_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="bundles.list", run=_list, query=Nothing, body=Nothing, answer=BundlePage),
    Operation(name="bundles.key", run=_key, query=Nothing, body=Nothing, answer=BundleKeyShown),
    Operation(name="bundles.show", run=_show, query=Nothing, body=Nothing, answer=BundleWhole),
    Operation(
        name="bundles.export", run=_export, query=Nothing, body=Nothing, answer=BundleContent
    ),
    Operation(
        name="bundles.rollback", run=_roll_back, query=Nothing, body=Back, answer=ProposalShown
    ),
    Operation(name="bundles.prune", run=_prune, query=Nothing, body=Prune, answer=Pruned),
)
