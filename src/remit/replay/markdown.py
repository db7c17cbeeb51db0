"""A plan as Markdown for a pull request: short, what to look at first, the rest folded away.

Everything that came from outside is escaped: a name may not become a link, a mention, a picture or a table.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Final

from remit.documents.problem import printable
from remit.replay.difference import Change, Difference, Effect
from remit.replay.plan import Plan
from remit.replay.report import Group, ReplayReport, Shift
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

__all__ = ["plan_markdown"]

_LEVELS: Final = {"danger": "🔴", "care": "🟡", "fine": "🟢"}
_MARKS: Final = {
    Effect.WIDENS: "▲ widens",
    Effect.MAY_WIDEN: "△ may widen",
    Effect.NARROWS: "▼ narrows",
    Effect.NEITHER: "· neither",
}
_MOST_GROUPS: Final = 15
_MOST_CHANGES: Final = 40
_LONGEST: Final = 60_000
"""Characters; forges cut a comment at 65,536."""
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+!|<>~@&$:-])")
_ACTIVE: Final = re.compile(r"[\\`*_{}\[\]()#+!|<>~@&$]")
_CALLING: Final = re.compile(r"([@#]|:(?=//)|\bwww(?=\.))", re.IGNORECASE)
"""What a forge makes links and mentions of after it has read the Markdown, when no escape is left."""


def plan_markdown(plan: Plan) -> str:
    """The plan in Markdown, ending in a line break."""
    lines = list(_lines(plan))
    text = "\n".join(lines)
    if len(text) > _LONGEST:
        kept = text[:_LONGEST].rpartition("\n")[0]
        # An open fence or fold would swallow what the forge puts after the comment.
        fence = "\n```" if kept.count("\n```") % 2 else ""
        folds = "\n</details>" * (kept.count("<details") - kept.count("</details>"))
        text = f"{kept}{fence}{folds}\n\n*Cut here; `remit plan --format html` has all of it.*"
    return f"{text}\n"


def _lines(plan: Plan) -> Iterator[str]:
    level, why = verdict(plan)
    said = headline(plan)
    yield f"## {_LEVELS[level]} Policy plan"
    yield ""
    yield f"**{said[:1].upper()}{said[1:]}.** {why}"
    yield ""
    if plan.replay is not None:
        yield from _replayed(plan.replay)
    if plan.difference is not None:
        yield from _declared(plan.difference)
    stage = f" · stage `{_code(plan.stage)}`" if plan.stage else ""
    yield f"<sub>`{plan.old[:12]}` → `{plan.new[:12]}`{stage} · {plan.made_at}</sub>"


def _replayed(replayed: ReplayReport) -> Iterator[str]:
    yield "| calls that came | |"
    yield "|---|--:|"
    yield f"| decided again, {replayed.since[:10]} to {replayed.until[:10]} | {replayed.decided:,} |"
    for shift, (name, meaning) in HEADLINES.items():
        if replayed.count(shift):
            yield f"| **{name}**: {meaning} | **{replayed.count(shift):,}** |"
    yield f"| alike | {replayed.equal:,} |"
    for count, why in skipped_told(replayed):
        yield f"| not decided again: {why} | {count:,} |"
    yield ""
    for shift in HEADLINES:
        groups = replayed.of(shift)
        if groups:
            yield from _groups(shift, groups, replayed.count(shift))


def _groups(shift: Shift, groups: Sequence[Group], count: int) -> Iterator[str]:
    is_first = shift in {Shift.NEWLY_ALLOWED, Shift.NEWLY_REFUSED}
    yield f"<details{' open' if is_first else ''}>"
    yield f"<summary>{HEADLINES[shift][0]}: {counted(count, 'call')}</summary>"
    yield ""
    yield "| calls | who | what | tenant | from → to | example |"
    yield "|--:|---|---|---|---|---|"
    for group in groups[:_MOST_GROUPS]:
        flag = "⚠️ " if group.privileged else ""
        example = f"`{_code(group.examples[0].decision_id)}`" if group.examples else ""
        told = group.because or transition(group)
        yield (
            f"| {group.count:,} | {_text(who(group))} | {flag}{_text(thing(group))} |"
            f" {_text(group.tenant)} | {_text(told)} | {example} |"
        )
    left = count - sum(group.count for group in groups[:_MOST_GROUPS])
    if left:
        yield ""
        yield f"…and {left:,} in further groups."
    yield ""
    yield "</details>"
    yield ""


def _declared(difference: Difference) -> Iterator[str]:
    if not difference.changes:
        return
    yield "### What is declared otherwise"
    yield ""
    yield "| | what | |"
    yield "|---|---|---|"
    for change in difference.changes[:_MOST_CHANGES]:
        flag = "⚠️ privileged" if change.privileged else ""
        yield f"| {_MARKS[change.effect]} | {_text(change.what)} | {flag} |"
    left = len(difference.changes) - _MOST_CHANGES
    if left > 0:
        yield ""
        yield f"…and {left:,} more."
    yield ""
    for change in difference.changes[:_MOST_CHANGES]:
        if change.lines:
            yield from _text_changed(change)


def _text_changed(change: Change) -> Iterator[str]:
    yield "<details>"
    yield f"<summary>{_html(change.name)}</summary>"
    yield ""
    yield "```diff"
    # A fence inside would end ours.
    yield from (_code(line) for line in change.lines)
    yield "```"
    yield ""
    yield "</details>"
    yield ""


def _text(text: str) -> str:
    """Words that mean nothing but themselves."""
    escaped = _SPECIAL.sub(r"\\\1", _parted(text))
    return escaped.replace("\\<", "&lt;").replace("\\>", "&gt;").replace("\0", "<!-- -->")


def _html(text: str) -> str:
    """The same inside of a tag, where most forges read no Markdown and show its escapes."""
    escaped = _ACTIVE.sub(lambda one: f"&#{ord(one[0])};", _parted(text))
    return escaped.replace("\0", "<!-- -->")


def _parted(text: str) -> str:
    """`text` with a mark in whatever calls or links somebody: an empty comment there leaves no name."""
    return _CALLING.sub("\\1\0", printable(text))


def _code(text: str) -> str:
    return (
        printable(text).replace("```", "'''").replace("`", "'") if "`" in text else printable(text)
    )
