"""Which keys speak for which stage, and what is not taken though it was in force somewhere once."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.clock import EpochSeconds
from remit.deployment import Activation, BadSignatureError, Bundle, How, WrongOriginError
from remit.deployment.provenance import origin_of, require_origin, require_signer
from remit.deployment.sealing import InstallationKey, PublisherKeys, publisher_keys, sign_bundle
from remit.model import DeploymentRules

from .conftest import FORBID, bundle

NOW = EpochSeconds(1_000_000)
DEV, STAGING, RELEASE = (Ed25519PrivateKey.from_private_bytes(bytes([n] * 32)) for n in (1, 2, 3))
DEV_KEY, STAGING_KEY, RELEASE_KEY = map(InstallationKey, (DEV, STAGING, RELEASE))
ALL = publisher_keys({"keys": [one.jwk for one in (DEV_KEY, STAGING_KEY, RELEASE_KEY)]})
FROM_STAGING = DeploymentRules(from_stages=("staging",))
APART = {"dev": (DEV_KEY.thumbprint,), "staging": (STAGING_KEY.thumbprint,)}


def rules(**changes: object) -> DeploymentRules:
    return replace(FROM_STAGING, **{"stage_keys": APART, **changes})


def activation(sequence: int, digest: str, *, stage: str, at: int) -> Activation:
    return Activation(
        sequence=sequence,
        bundle=digest,
        previous="",
        how=How.APPLY,
        stage=stage,
        proposal=None,
        reason="",
        activated_at=EpochSeconds(at),
        activated_by="usr_ada",
    )


def carried(
    key: InstallationKey = STAGING_KEY,
    *,
    stage: str = "staging",
    said_at: int = NOW,
    replaced: bool = False,
) -> Bundle:
    """A bundle, as the installation with `key` gives it to another."""
    wanted = bundle()
    activations = [activation(1, wanted.digest, stage=stage, at=900_000)]
    if replaced:
        activations.insert(0, activation(2, bundle(FORBID).digest, stage=stage, at=NOW - 60))
    said = origin_of(
        key, wanted.digest, tuple(activations), url="https://x", now=EpochSeconds(said_at)
    )
    return replace(wanted, provenance=said).with_signature(key.signature(wanted))


def take(wanted: Bundle, judged_by: DeploymentRules, *, publishers: PublisherKeys = ALL) -> None:
    require_signer(wanted, judged_by, stage="prod", publishers=publishers)
    require_origin(wanted, judged_by, publishers=publishers, now=NOW)


def test_what_is_in_force_in_the_stage_before_is_taken_by_the_word_of_its_key():
    take(carried(), FROM_STAGING)
    take(carried(), rules())
    take(carried(), rules(stage_keys={"dev": (DEV_KEY.thumbprint,)}))


@pytest.mark.parametrize(
    ("wanted", "judged_by", "said"),
    [
        (carried(DEV_KEY), rules(), "names it for other stages"),
        (carried(DEV_KEY).with_signature(STAGING_KEY.signature(bundle())), rules(), "does not name it for that"),
        (carried(RELEASE_KEY), rules(), "does not name it for that"),
        (carried(DEV_KEY, stage="dev"), rules(), "names it for other stages"),
        (carried(), rules(stage_keys={"prod": (RELEASE_KEY.thumbprint,)}), "none of them has signed"),
        (carried(STAGING_KEY, stage="dev"), FROM_STAGING, "in force in none of `staging`"),
    ],
    ids=[
        "of a key for dev", "staging signed it and dev speaks for it", "of a key that is not staging's",
        "of dev", "prod has keys of its own", "it says itself that it is of dev",
    ],
)  # fmt: skip
def test_a_key_speaks_for_its_own_stage_alone(wanted, judged_by, said):
    with pytest.raises((WrongOriginError, BadSignatureError), match=said):
        take(wanted, judged_by)


def test_a_stage_with_keys_of_its_own_takes_what_one_of_them_signed():
    own = rules(from_stages=(), stage_keys={"prod": (RELEASE_KEY.thumbprint,)})
    take(sign_bundle(bundle(), RELEASE), own)
    for wanted, publishers, said in (
        (bundle(), ALL, "is not signed"),
        (sign_bundle(bundle(), DEV), ALL, "none of them has signed"),
        (sign_bundle(bundle(), RELEASE), PublisherKeys(), "no key that is believed"),
    ):
        with pytest.raises(BadSignatureError, match=said):
            take(wanted, own, publishers=publishers)


def test_what_is_in_force_there_no_longer_is_refused_unless_the_rules_admit_it():
    with pytest.raises(WrongOriginError, match="no longer in force in the stage `staging`"):
        take(carried(replaced=True), FROM_STAGING)
    with pytest.raises(WrongOriginError, match="no longer in force"):
        take(carried(replaced=True), DeploymentRules(), publishers=PublisherKeys())
    take(carried(replaced=True), rules(replaced_may_come=True))


def test_what_was_said_long_ago_is_refused_for_it_may_have_been_gone_back_from_since():
    take(carried(said_at=NOW - 86_400), FROM_STAGING)
    with pytest.raises(WrongOriginError, match="export it anew"):
        take(carried(said_at=NOW - 86_401), FROM_STAGING)
    take(carried(said_at=NOW - 86_401), rules(replaced_may_come=True))


def test_that_it_is_in_force_is_not_to_be_left_out_or_changed():
    for changed in ({"is_in_force": True}, {"for_seconds": 10**9}):
        forged = carried(replaced=True)
        forged = replace(forged, provenance={**forged.provenance, **changed})
        with pytest.raises(WrongOriginError, match="not believed"):
            take(forged, FROM_STAGING)
