"""Where a bundle was in force before: said by that installation, over its own signature.

Refused, where the bundle in force says from which stages others may come: one whose provenance is not signed by a key
that is believed here, is of another bundle, or is of another stage.

Source: docs/guides/deploying-policies.md, "from stage to stage".
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final

from remit.canonical import Json
from remit.clock import EpochSeconds
from remit.deployment.activation_store import Activation
from remit.deployment.bundle import Bundle
from remit.deployment.sealing import InstallationKey, PublisherKeys
from remit.errors import Error

__all__ = ["WrongOriginError", "origin_of", "require_stage"]

_PURPOSE: Final = "remit:provenance:v1"
_NOT_SIGNED: Final = frozenset({"key", "seal"})


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


def require_stage(bundle: Bundle, stages: tuple[str, ...], publishers: PublisherKeys) -> None:
    """Pass when `bundle` was in force in one of `stages`, or when none is named.

    Raises:
        WrongOriginError: see the module.
    """
    if not stages:
        return
    wanted = ", ".join(f"`{one}`" for one in stages)
    said = bundle.provenance
    value = {name: one for name, one in said.items() if name not in _NOT_SIGNED}
    if not said:
        raise WrongOriginError(f"only what was in force in {wanted} may come here: promote it")
    if not publishers.believes(str(said.get("key")), _PURPOSE, value, str(said.get("seal"))):
        raise WrongOriginError(
            "who says where the bundle was in force is not believed here: name its key in `bundle_keys`"
        )
    if said.get("bundle") != bundle.digest or said.get("stage") not in stages:
        raise WrongOriginError(f"the bundle was in force in none of {wanted}")
