"""`roles.yaml`: what people may let agents do, by role; and who holds a role because of an attribute."""

from pydantic import Field

from remit.repository.fields import Line, Name, Prose, ScopeReference
from remit.repository.section import Section

__all__ = ["AttributeRuleSection", "RoleSection", "RolesFile"]


class RoleSection(Section):
    """A role."""

    description: Prose = Field(default="", description="Who holds it, and why.")
    scopes: tuple[ScopeReference, ...] = Field(
        description="The most that a person with this role can grant to an agent."
    )


class AttributeRuleSection(Section):
    """People who match hold roles, without anybody assigning them."""

    when: dict[Line, Line] = Field(
        min_length=1, description="Attributes of a person and their values; all must match exactly."
    )
    roles: tuple[str, ...] = Field(min_length=1, description="The roles that such a person holds.")


class RolesFile(Section):
    """`roles.yaml`."""

    roles: dict[Name, RoleSection] = Field(default={}, description="The roles, by name.")
    attributes: tuple[AttributeRuleSection, ...] = Field(
        default=(), description="Rules that turn attributes from the user directory into roles."
    )
