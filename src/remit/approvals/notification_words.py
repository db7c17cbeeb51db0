"""What stands in a message to people: one line of what waits, and where to log in. Plain text, whatever it is put in.

Names that a server or an agent brought are shown inert. Nothing in it can be answered: a link opens the page, where people log in.
"""

from collections.abc import Sequence

from remit.approvals.notification import Notice, Occasion, inert, page_of
from remit.clock import rfc3339_ms

__all__ = ["subject_of_mail", "words_of"]

_MOST = 10
_NOTHING_HERE = "This message approves nothing, and cannot be answered."


def subject_of_mail(notices: Sequence[Notice]) -> str:
    """The subject of one mail about all of them."""
    if len(notices) > 1:
        return f"[Remit] {len(notices)} {_what(notices)}"
    return f"[Remit] {_heading(notices[0])}"


def words_of(notices: Sequence[Notice], public_url: str) -> str:
    """One message about all of them."""
    shown = [_line(one) for one in notices[:_MOST]]
    if len(notices) > _MOST:
        shown.append(f"... and {len(notices) - _MOST} more")
    if len(notices) > 1:
        shown.insert(0, f"{len(notices)} {_what(notices)}:")
    link = f"Log in to see it: {page_of(notices, public_url)}"
    return "\n".join((*shown, link, _NOTHING_HERE))


def _what(notices: Sequence[Notice]) -> str:
    if any(one.occasion.is_emergency for one in notices):
        return "things to look at, emergency access among them"
    return "requests wait for an answer"


def _heading(notice: Notice) -> str:
    if notice.occasion is Occasion.EMERGENCY:
        return f"Emergency access taken: {_thing(notice)}"
    if notice.occasion is Occasion.OVERDUE:
        return f"Emergency access not reviewed in time: {_thing(notice)}"
    if notice.occasion is Occasion.ESCALATED:
        return f"Still waiting for an answer: {_thing(notice)}"
    return f"Waiting for an answer: {_thing(notice)}"


def _line(notice: Notice) -> str:
    where = f" in {inert(notice.environment)}" if notice.environment else ""
    agent = f", asked for by the agent `{inert(notice.agent)}`" if notice.agent else ""
    roles = ", ".join(inert(role) for role in notice.roles)
    if notice.occasion.is_emergency:
        tail = f". It has to be reviewed by: {roles}." if roles else ". It has to be reviewed."
        return f"{_heading(notice)}{where} ({inert(notice.tenant)}){tail}"
    by = f" For: {roles}." if roles else ""
    until = rfc3339_ms(notice.ends_at * 1000)[:16].replace("T", " ")
    return f"{_heading(notice)}{where}{agent} ({inert(notice.tenant)}). It waits until {until} UTC.{by}"


def _thing(notice: Notice) -> str:
    # As code: a name that looks like a host would become a link by itself.
    name, server = f"`{inert(notice.name)}`", f"`{inert(notice.server)}`"
    match notice.kind:
        case "access":
            return f"access {name}"
        case "emergency":
            return name
        case "resource":
            return f"a resource of {server}"
        case kind:
            return f"{inert(kind)} {name} of {server}"
