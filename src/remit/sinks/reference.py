"""The reference page of what each kind of event is elsewhere: `python -m remit.sinks.reference > page`."""

import sys

from remit.sinks.forms.ecs import CATEGORIES
from remit.sinks.forms.ocsf import VERSION
from remit.sinks.forms.ocsf_kinds import ACTIVITIES, CLASSES, KINDS

__all__ = ["main", "render_reference"]

_HEAD = f"""\
# Events in OCSF and ECS

<!-- Made by `python -m remit.sinks.reference`; do not edit. -->

What each kind of [event](events.md) is in the [forms](sinks.md#forms) `ocsf` (OCSF {VERSION}) and `ecs`. Of a `decision`
and a `call.completed` the activity follows from the operation of the tool: `read` and `export` are Read, `write`
is Update, `delete` is Delete, everything else is Other. A kind that is not in this table, of a later version, is an Entity
Management event of its noun with the activity of its verb.

| kind | OCSF class | activity | `event.category` | `event.type` |
|---|---|---|---|---|
"""


def render_reference() -> str:
    """The page."""
    rows = []
    for kind, (uid, activity) in sorted(KINDS.items()):
        category, sort = CATEGORIES[uid]
        rows.append(
            f"| `{kind}` | {CLASSES[uid].caption} ({uid}) | {ACTIVITIES[uid].get(activity, 'Other')}"
            f" ({activity}) | `{category}` | `{sort}` |"
        )
    return _HEAD + "\n".join(rows) + "\n"


def main() -> None:
    """Write it to standard output."""
    sys.stdout.write(render_reference())


if __name__ == "__main__":
    main()
