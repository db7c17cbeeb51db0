"""What `approvals.yaml` says of access for a while: what may be asked for, and what a few people may take.

Refused: an offer of a role and of scopes at once, or of nothing, or to nobody; emergency access that nobody reviews.
Whether the names exist is for `references` to say, and what they mean together for `approvals_rules`.

Source: docs/adr/0025-cures.md; MISSION C3, C4, C5.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Self

from pydantic import Field, model_validator

from remit.documents import Duration, duration_field, mistake
from remit.ids import AgentId, ScopeName, ServerName
from remit.model import ACR_PASSWORD, ACR_PHISHING_RESISTANT, Environment
from remit.model.approvals import AccessOffer, EmergencyAccess
from remit.repository.approvals_section import Acr, FieldName
from remit.repository.fields import Line, Name, ScopeReference
from remit.repository.lengths import DAY, HOUR, MINUTE, within
from remit.repository.section import Section

__all__ = ["AccessSection", "EmergencySection", "emergency_of", "offers_of"]

_Justification = Annotated[tuple[FieldName, ...], Field(min_length=1)]


class AccessSection(Section):
    """A role, or scopes, that may be had for a while by those who ask; it ends by itself."""

    role: str | None = Field(default=None, description="The role; or else `scopes`.")
    scopes: tuple[ScopeReference, ...] = Field(
        default=(), description="The scopes; or else `role`."
    )
    servers: tuple[str, ...] = Field(
        default=(), description="Only at these servers; left out, at every one."
    )
    environments: tuple[str, ...] = Field(
        default=(), description="Only in these environments; left out, in every one."
    )
    people_roles: tuple[str, ...] = Field(
        default=(), description="Whoever holds one of these roles may ask."
    )
    agents: tuple[str, ...] = Field(
        default=(), description="These agents, and the workloads that they stand for, may ask."
    )
    longest: Annotated[Duration, within(MINUTE, 366 * DAY, "between `1m` and `366d`")] = (
        duration_field("1h", "For how long at most. `1m` to `366d`.")
    )
    approver: str | None = Field(
        default=None,
        description="Somebody with this role has to approve, by the `rules` for it; left out, it is given at once.",
    )
    justification: _Justification = Field(
        default=("reason",),
        description="What has to be told: names under `justifications`, or `reason`.",
    )
    acr: Acr | None = Field(
        default=None, description="How strongly a person who asks must have logged in."
    )

    @model_validator(mode="after")
    def _is_something_for_somebody(self) -> Self:
        if (self.role is None) == (not self.scopes):
            raise mistake("what is offered is not said once", expected="either `role` or `scopes`")
        if not self.people_roles and not self.agents:
            raise mistake("nobody may ask for it", expected="`people_roles`, `agents`, or both")
        return self


class EmergencySection(Section):
    """What a few named people may take without being approved beforehand, and have to answer for."""

    people: Annotated[tuple[Line, ...], Field(min_length=1, max_length=20)] = Field(
        description="Who may, by their user names."
    )
    role: str | None = Field(default=None, description="The role; or else `scopes`.")
    scopes: tuple[ScopeReference, ...] = Field(
        default=(), description="The scopes; or else `role`."
    )
    environments: tuple[str, ...] = Field(
        default=(), description="Only in these environments; left out, in every one."
    )
    longest: Annotated[Duration, within(MINUTE, DAY, "between `1m` and `1d`")] = duration_field(
        "30m", "For how long at most. `1m` to `1d`."
    )
    acr: Acr = Field(
        default=ACR_PHISHING_RESISTANT,
        description="How strongly they must have logged in; a password alone is not enough.",
    )
    fresh: Annotated[Duration, within(MINUTE, HOUR, "between `1m` and `1h`")] = duration_field(
        "5m", "How long ago they may have logged in. `1m` to `1h`."
    )
    justification: _Justification = Field(
        default=("reason",),
        description="What has to be told: names under `justifications`, or `reason`.",
    )
    reviewer: str = Field(
        description="The role of those who review it afterwards; never whoever used it."
    )
    review_within: Annotated[Duration, within(HOUR, 30 * DAY, "between `1h` and `30d`")] = (
        duration_field("3d", "After how long without a review it is told again. `1h` to `30d`.")
    )
    notify: tuple[Name, ...] = Field(
        default=(), description="Names under `notifiers`: who is told the moment it is used."
    )

    @model_validator(mode="after")
    def _is_something(self) -> Self:
        if (self.role is None) == (not self.scopes):
            raise mistake(
                "what may be taken is not said once", expected="either `role` or `scopes`"
            )
        if self.acr == ACR_PASSWORD:
            raise mistake(
                "a password alone takes it", expected="`acr` with a second factor, or left out"
            )
        return self


def offers_of(sections: Mapping[str, AccessSection]) -> Mapping[str, AccessOffer]:
    """The offers that `sections` declare."""
    return MappingProxyType({
        name: AccessOffer(
            **dict(one) | {
                "name": name,
                "scopes": tuple(ScopeName(scope) for scope in one.scopes),
                "servers": tuple(ServerName(server) for server in one.servers),
                "environments": _environments(one.environments),
                "agents": tuple(AgentId(agent) for agent in one.agents),
            }
        )
        for name, one in sections.items()
    })  # fmt: skip


def emergency_of(sections: Mapping[str, EmergencySection]) -> Mapping[str, EmergencyAccess]:
    """The emergency access that `sections` declare."""
    return MappingProxyType({
        name: EmergencyAccess(
            **dict(one) | {
                "name": name,
                "scopes": tuple(ScopeName(scope) for scope in one.scopes),
                "environments": _environments(one.environments),
            }
        )
        for name, one in sections.items()
    })  # fmt: skip


def _environments(names: tuple[str, ...]) -> tuple[Environment, ...]:
    return tuple(Environment(name) for name in names)
