"""Who answers in another's place, in which role, and until when. Deputies have no deputies."""

from dataclasses import dataclass

from remit.clock import EpochSeconds
from remit.ids import TenantId, UserId

__all__ = ["Deputy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deputy:
    """`deputy` answers for `absent` where `role` is asked."""

    tenant: TenantId
    absent: UserId
    deputy: UserId
    role: str
    named_at: EpochSeconds
    expires_at: EpochSeconds
