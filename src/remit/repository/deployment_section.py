"""`deployment` of `remit.yaml`: what has to hold before other policies come into force where these are.

Refused: shares and numbers that are none; a trial shorter than a minute, or longer than a week; a key that is named
otherwise than by its thumbprint.

Source: docs/guides/deploying-policies.md.
"""

import re
from types import MappingProxyType
from typing import Annotated, Final

from pydantic import AfterValidator, Field, StrictBool, StrictInt, WithJsonSchema

from remit.documents import Duration, duration_field, mistake, quoted
from remit.ids import ScopeName
from remit.model import DeploymentRules, SecondPerson
from remit.repository.fields import Name, ScopeReference
from remit.repository.lengths import DAY, MINUTE, within
from remit.repository.section import Section

__all__ = ["DeploymentSection", "deployment_of"]

_THUMBPRINT: Final = re.compile(r"[A-Za-z0-9_-]{43}")


def _check_thumbprint(text: str) -> str:
    if _THUMBPRINT.fullmatch(text) is None:
        raise mistake(
            f"{quoted(text)} is no thumbprint of a key", expected="the `kid` of `remit bundles key`"
        )
    return text


Thumbprint = Annotated[
    str,
    AfterValidator(_check_thumbprint),
    WithJsonSchema({"type": "string", "pattern": f"^{_THUMBPRINT.pattern}$"}),
]
"""Of a public key (RFC 7638), in base64url."""


class DeploymentSection(Section):
    """The rules by which a proposal is judged: always those in force, never its own."""

    second_person: SecondPerson = Field(
        default=SecondPerson.WIDENING,
        description="When somebody else than the proposer has to approve. `widening`: when it lets anybody do more with a privileged scope, or loosens these rules. `always`. `never`.",
    )
    privileged_scopes: tuple[ScopeReference, ...] = Field(
        default=(),
        description="Scopes that count as privileged, besides all whose sensitivity is `high` or `critical`.",
    )
    tests_required: StrictBool = Field(
        default=True,
        description="Whether the decision tables in `tests/` have to pass, run by the server.",
    )
    replay_days: Annotated[StrictInt, Field(ge=0, le=366)] = Field(
        default=7,
        description="So many days of recorded decisions are decided again by what is proposed; `0`: none.",
    )
    newly_allowed_reviewed: StrictBool = Field(
        default=True,
        description="Whether somebody else has to approve when recorded calls that were refused would be allowed.",
    )
    trial_share: Annotated[StrictInt, Field(ge=0, le=100)] = Field(
        default=0,
        description="Percent of the agents that a bundle is tried on before it comes into force for all; `0`: it does at once.",
    )
    trial_lifetime: Annotated[Duration, within(MINUTE, 7 * DAY, "between `1m` and `7d`")] = (
        duration_field("15m", "How long a bundle is tried. `1m` to `7d`.")
    )
    trial_refusals: Annotated[StrictInt, Field(ge=0, le=100)] = Field(
        default=5,
        description="By so many percentage points more calls may be refused under a trial than beside it and before it; beyond, it is taken back.",
    )
    from_stages: tuple[Name, ...] = Field(
        default=(),
        description="Only bundles that were in force in one of these stages may come into force here; none named: any. They are among `stages`.",
    )
    replaced_may_come: StrictBool = Field(
        default=False,
        description="Whether a bundle may come here that is no longer in force where it says that it was.",
    )
    stage_keys: dict[Name, Annotated[tuple[Thumbprint, ...], Field(min_length=1)]] = Field(
        default={},
        description="Which keys are for which stage, by their thumbprints, which are the `kid` that `remit bundles key` prints. A key that is named signs for no other stage and says of no other that a bundle was in force there; a stage that is named believes no other key, and takes only what one of its own has signed. They are among `stages`, and `bundle_keys` of the operator has to hold them.",
    )


def deployment_of(section: DeploymentSection) -> DeploymentRules:
    """The rules that `section` declares."""
    scopes = tuple(ScopeName(one) for one in section.privileged_scopes)
    keys = MappingProxyType(dict(section.stage_keys))
    return DeploymentRules(**dict(section) | {"privileged_scopes": scopes, "stage_keys": keys})
