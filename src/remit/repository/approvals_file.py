"""`approvals.yaml`: who may answer for others, who may have more for a while, and who may break the glass.

Source: docs/adr/0025-cures.md; MISSION B7, C2 to C5.
"""

from pydantic import Field

from remit.model.approvals import Approvals
from remit.repository.access_section import (
    AccessSection,
    EmergencySection,
    emergency_of,
    offers_of,
)
from remit.repository.approvals_section import (
    ApprovalRuleSection,
    ConfirmationSection,
    Justifications,
    NotifierSection,
    confirmation_of,
    justifications_of,
    notifiers_of,
    rules_of,
)
from remit.repository.fields import Name
from remit.repository.section import Section

__all__ = ["ApprovalsFile", "approvals_of"]


class ApprovalsFile(Section):
    """`approvals.yaml`."""

    confirmation: ConfirmationSection = Field(
        default=ConfirmationSection(),
        description="How a person confirms a call of their own agent.",
    )
    rules: tuple[ApprovalRuleSection, ...] = Field(
        default=(),
        description="How many people of which role answer for what. Where no rule matches, one person with the role does.",
    )
    justifications: Justifications = Field(
        default={},
        description="What has to be told where somebody is asked for it, by its name; policies read it as `context.told`.",
    )
    access: dict[Name, AccessSection] = Field(
        default={}, description="What may be had for a while by those who ask, by its name."
    )
    emergency: dict[Name, EmergencySection] = Field(
        default={}, description="What a few people may take in an emergency, by its name."
    )
    notifiers: dict[Name, NotifierSection] = Field(
        default={}, description="Where people are told that something waits for them, by its name."
    )


def approvals_of(file: ApprovalsFile) -> Approvals:
    """What `file` declares."""
    return Approvals(
        rules=rules_of(file.rules),
        confirmation=confirmation_of(file.confirmation),
        justifications=justifications_of(file.justifications),
        access=offers_of(file.access),
        emergency=emergency_of(file.emergency),
        notifiers=notifiers_of(file.notifiers),
    )
