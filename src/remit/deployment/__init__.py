"""Bundles of policies: kept, proposed, judged, put in force, tried on a share of the agents, taken back.

Refuses what is not signed as it has to be, what does not check, whose tables fail, and what one person may not
decide alone.
"""

from remit.deployment.activation_store import Activation, How, activations_so_far
from remit.deployment.bundle import (
    Bundle,
    BundleMalformedError,
    bundle_bytes,
    bundle_from,
    bundle_of,
    read_bundle,
)
from remit.deployment.bundle_store import KeptBundle, kept_bundle, kept_bundles
from remit.deployment.decide import approve, reject, withdraw
from remit.deployment.deps import DeploymentDeps, Present
from remit.deployment.judgement import Gate
from remit.deployment.keeping import exported, prune_bundles
from remit.deployment.person import NotASecondPersonError, Person, person_named
from remit.deployment.proposal_store import (
    Approval,
    Proposal,
    ProposalState,
    approvals_of,
    proposal_named,
    proposals_so_far,
)
from remit.deployment.propose import TablesFailedError, Wish, propose
from remit.deployment.provenance import WrongOriginError
from remit.deployment.roll_back import roll_back
from remit.deployment.sealing import BadSignatureError
from remit.deployment.share import NotTriableError
from remit.deployment.trial_store import Trial, counted, running_trial

__all__ = [
    "Activation",
    "Approval",
    "BadSignatureError",
    "Bundle",
    "BundleMalformedError",
    "DeploymentDeps",
    "Gate",
    "How",
    "KeptBundle",
    "NotASecondPersonError",
    "NotTriableError",
    "Person",
    "Present",
    "Proposal",
    "ProposalState",
    "TablesFailedError",
    "Trial",
    "Wish",
    "WrongOriginError",
    "activations_so_far",
    "approvals_of",
    "approve",
    "bundle_bytes",
    "bundle_from",
    "bundle_of",
    "counted",
    "exported",
    "kept_bundle",
    "kept_bundles",
    "person_named",
    "proposal_named",
    "proposals_so_far",
    "propose",
    "prune_bundles",
    "read_bundle",
    "reject",
    "roll_back",
    "running_trial",
    "withdraw",
]
