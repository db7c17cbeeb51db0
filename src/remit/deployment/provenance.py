"""Whose key has signed a bundle, and where it was in force before: said by that installation, over its own signature.

Refused, where keys are named: what none of them has signed, and what only keys that are for other stages have. Refused,
where the bundle in force says from which stages others may come: one whose provenance is not signed by a key
that is believed here and speaks for that stage, is of another bundle, is of another stage, or was said more than a day
ago. Refused anyhow, unless the rules admit it: what by its own provenance is in force there no longer.

Source: docs/guides/deploying-policies.md, "from stage to stage".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from remit.canonical import Json
from remit.clock import EpochSeconds
from remit.deployment.activation_store import Activation
from remit.deployment.bundle import Bundle
from remit.deployment.sealing import BadSignatureError, InstallationKey, PublisherKeys
from remit.errors import Error
from remit.model import DeploymentRules

__all__ = ["WrongOriginError", "origin_of", "require_origin", "require_signer"]

_PURPOSE: Final = "remit:provenance:v1"
_NOT_SIGNED: Final = frozenset({"key", "seal"})
_GOOD_FOR: Final = 86_400
"""Seconds: what was in force a day ago may have been gone back from since."""


class WrongOriginError(Error):
    """The bundle was in force in none of the stages that it may come from."""

    code: ClassVar[str] = "wrong_origin"


def origin_of(
    key: InstallationKey,
    digest: str,
    activations: tuple[Activation, ...],
    *,
    url: str,
    now: EpochSeconds,
) -> Mapping[str, Json]:
    """What this installation says of a bundle that was in force here; nothing of one that never was.

    `activations` are all there were, the newest first. `for_seconds`: since it came into force last, or how long
    it then was.
    """
    for place, one in enumerate(activations):
        if one.bundle != digest:
            continue
        ended = now if place == 0 else activations[place - 1].activated_at
        said: dict[str, Json] = {
            "bundle": digest,
            "stage": one.stage,
            "url": url,
            "sequence": one.sequence,
            "since": one.activated_at,
            "for_seconds": max(0, ended - one.activated_at),
            "is_in_force": place == 0,
        }
        return MappingProxyType({**said, "key": key.thumbprint, "seal": key.seal(_PURPOSE, said)})
    return MappingProxyType({})


def require_signer(
    bundle: Bundle, rules: DeploymentRules, *, stage: str, publishers: PublisherKeys
) -> None:
    """Pass when a key has signed `bundle` that may do so for `stage`, or when none is asked for.

    Raises:
        BadSignatureError: see the module.
    """
    own = rules.stage_keys.get(stage)
    if not publishers and own is None:
        return
    signers = publishers.signers(bundle)
    if not bundle.signatures:
        raise BadSignatureError("the bundle is not signed, and only signed ones are taken here")
    if not signers:
        raise BadSignatureError("no key that is believed here has signed the bundle")
    if own is not None and not set(own) & set(signers):
        raise BadSignatureError(
            f"`stage_keys` names the keys of the stage `{stage}`, and none of them has signed the bundle"
        )
    if own is None and not any(
        _may_speak(one, rules, (stage, *rules.from_stages)) for one in signers
    ):
        raise BadSignatureError(
            f"the key `{signers[0]}` has signed the bundle, and `stage_keys` names it for other stages than this"
        )


def require_origin(
    bundle: Bundle, rules: DeploymentRules, *, publishers: PublisherKeys, now: EpochSeconds
) -> None:
    """Pass when `bundle` is in force in one of the stages that `rules` name, or when none is named.

    Raises:
        WrongOriginError: see the module.
    """
    said = bundle.provenance
    if rules.from_stages:
        _require_stage(bundle, rules, publishers)
    if not said or rules.replaced_may_come:
        return
    # Its word against itself needs no signature.
    is_there = said.get("is_in_force")
    if is_there is False or (rules.from_stages and is_there is not True):
        raise WrongOriginError(
            f"the bundle is no longer in force in the stage `{_shown(said.get('stage') or 'none')}`: something else came in its "
            "place, or it was gone back from; promote what is in force there, or let "
            "`replaced_may_come` of `deployment` admit it"
        )
    if rules.from_stages and _said_at(said) + _GOOD_FOR < now:
        raise WrongOriginError(
            "what is said of where the bundle was in force is more than a day old: export it anew"
        )


def _require_stage(bundle: Bundle, rules: DeploymentRules, publishers: PublisherKeys) -> None:
    wanted = ", ".join(f"`{one}`" for one in rules.from_stages)
    said = bundle.provenance
    value = {name: one for name, one in said.items() if name not in _NOT_SIGNED}
    if not said:
        raise WrongOriginError(f"only what was in force in {wanted} may come here: promote it")
    key, stage = str(said.get("key")), str(said.get("stage"))
    if not publishers.believes(key, _PURPOSE, value, str(said.get("seal"))):
        raise WrongOriginError(
            "who says where the bundle was in force is not believed here: name its key in `bundle_keys`"
        )
    if said.get("bundle") != bundle.digest or stage not in rules.from_stages:
        raise WrongOriginError(f"the bundle was in force in none of {wanted}")
    if key not in rules.stage_keys.get(stage, (key,)) or not _may_speak(key, rules, (stage,)):
        raise WrongOriginError(
            f"the key `{_shown(key)}` says that the bundle was in force in `{stage}`, and `stage_keys` does not name it for that"
        )


def _may_speak(key: str, rules: DeploymentRules, stages: tuple[str, ...]) -> bool:
    """Whether `key` is for one of `stages`; one that is named nowhere is for all."""
    named = [stage for stage, keys in rules.stage_keys.items() if key in keys]
    return not named or any(one in stages for one in named)


def _said_at(said: Mapping[str, Json]) -> int:
    since, lasted = said.get("since"), said.get("for_seconds")
    return since + lasted if type(since) is int and type(lasted) is int else 0


def _shown(value: Json) -> str:
    return "".join(one if " " <= one <= "~" and one != "`" else "?" for one in str(value))[:64]
