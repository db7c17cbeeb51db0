"""`scopes.yaml`: every scope there is, in words a person understands, and which covers which."""

from pydantic import Field, RootModel

from remit.model import Sensitivity
from remit.repository.fields import Line, Name, Prose, ScopeReference, ScopeText
from remit.repository.section import Section

__all__ = ["ScopeSection", "ScopesFile"]


class ScopeSection(Section):
    """A scope. People read `title` and `description` before they consent."""

    title: Line = Field(description="What it allows, in a few words.")
    description: Prose = Field(description="What it allows, so that a person can decide.")
    covers: tuple[ScopeReference, ...] = Field(
        default=(),
        description="The scopes that whoever holds this one holds as well, and all that they cover.",
    )
    data_categories: tuple[Name, ...] = Field(
        default=(), description="The kinds of data it opens, named on the consent page."
    )
    sensitivity: Sensitivity = Field(
        default=Sensitivity.LOW, description="How much harm it can do."
    )
    elevated: bool = Field(
        default=False,
        description="Whether it is only had by an elevation: no token ever says it, whoever asks."
        " A policy asks for it with `@require_scope`.",
    )


class ScopesFile(RootModel[dict[ScopeText, ScopeSection]]):
    """`scopes.yaml`: scopes by name."""
