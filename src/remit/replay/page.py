"""A plan as one page for a reviewer: who gains what and who loses what first, then why.

One file that needs nothing else: no script, no picture, no font, nothing fetched; its own policy lets nothing be. It is
read in the dark, on a telephone, by keyboard and aloud; printed, too. Whatever came from outside is escaped, and
what could turn the writing around is replaced.
"""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from typing import Final

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup, escape

from remit.canonical import canonical_text
from remit.documents.problem import printable
from remit.replay.chart import chart_of
from remit.replay.difference import Effect
from remit.replay.plan import Plan
from remit.replay.report import Example, Group, Shift
from remit.replay.wording import (
    HEADLINES,
    counted,
    headline,
    skipped_told,
    thing,
    transition,
    verdict,
    who,
)

__all__ = ["plan_page"]

_MARKS: Final = {
    Effect.WIDENS: ("widens", "gain"),
    Effect.MAY_WIDEN: ("may widen", "maybe"),
    Effect.NARROWS: ("narrows", "loss"),
    Effect.NEITHER: ("neither", "plain"),
}
_TONES: Final = {
    Shift.NEWLY_ALLOWED: "gain",
    Shift.NEWLY_REFUSED: "loss",
    Shift.UNDECIDED: "maybe",
    Shift.DRIFT: "maybe",
}
_QUOTED: Final = re.compile(r"`([^`]+)`")
_OPEN: Final = frozenset({Shift.NEWLY_ALLOWED, Shift.NEWLY_REFUSED, Shift.DRIFT})


def plan_page(plan: Plan) -> str:
    """The page, as HTML in UTF-8."""
    style = _file("plan.css")
    level, why = verdict(plan)
    said = headline(plan)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(
        plan=plan,
        style=Markup(style),  # noqa: S704  our own file
        style_digest=digest,
        level=level,
        why=why,
        headline=f"{said[:1].upper()}{said[1:]}.",
        sections=_sections(plan),
        chart=chart_of(() if plan.replay is None else plan.replay.days),
        marks=_MARKS,
        skipped=() if plan.replay is None else skipped_told(plan.replay),
        counted=counted,
        who=who,
        thing=thing,
        told=_told,
        coded=_coded,
        shown=_shown,
    )


def _sections(plan: Plan) -> Sequence[tuple[Shift, str, str, str, Sequence[Group], bool]]:
    """Of each shift that occurs: its name, what it means, its tone, its groups, and whether it is unfolded."""
    if plan.replay is None:
        return ()
    return [
        (shift, name, meaning, _TONES.get(shift, "plain"), plan.replay.of(shift), shift in _OPEN)
        for shift, (name, meaning) in HEADLINES.items()
        if plan.replay.count(shift)
    ]


def _told(group: Group) -> str:
    return group.because or transition(group)


def _shown(example: Example) -> str:
    """The arguments as the log has them."""
    return canonical_text(dict(example.input)) if example.input else "no arguments"


def _coded(text: str) -> Markup:
    """`text` escaped, with what stands between backquotes as code."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(escape(printable(text)))))  # noqa: S704  escaped first


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_inert,
    )
    return environment.from_string(_file("plan.html"))


def _inert(value: object) -> object:
    """Text of others without what does not print; ours, which is marked, as it is."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _file(name: str) -> str:
    return files("remit.replay").joinpath("templates", name).read_text(encoding="utf-8")
