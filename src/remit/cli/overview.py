"""What `remit --help` shows: the commands by what somebody has come to do, what is run first at the top.

Typer's own panels would need rich, whose import takes three times as long as everything else that `--help` needs.
"""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from typer.core import TyperGroup

if TYPE_CHECKING:
    # Typer carries a click of its own; nothing of it is needed when this runs.
    from typer._click.core import Command, Context
    from typer._click.formatting import HelpFormatter

__all__ = ["SECTIONS", "Overview", "in_sections"]

SECTIONS: Final = (
    ("Begin here", ("demo", "init", "serve", "doctor")),
    (
        "Change policies",
        ("check", "test", "plan", "apply", "promote", "rollback", "proposals", "bundles", "rules"),
    ),
    ("Find out why, and who can", ("explain", "who-can", "what-can", "audit", "history")),
    (
        "People and agents",
        ("users", "identities", "sessions", "agents", "clients", "registrations",
         "registration-tokens", "grants", "consents", "connections", "approvals",
         "elevations", "deputies", "access", "emergency"),
    ),
    (
        "Keep it running",
        ("status", "reload", "servers", "guards", "sinks", "secrets", "keys", "signer", "witness", "login",
         "version"),
    ),
)  # fmt: skip
"""Every command stands in one of these; a test holds them against the commands that there are."""


def in_sections(names: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """`names` by section; what no section has comes last, so that it is shown all the same."""
    known = {name for _, section in SECTIONS for name in section}
    for title, section in SECTIONS:
        yield title, [name for name in section if name in names]
    yield "More", [name for name in names if name not in known]


class Overview(TyperGroup):
    """The commands, in sections."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """All of them, as they are shown."""
        return [name for _, names in in_sections([*self.commands]) for name in names]

    def format_commands(self, ctx: "Context", formatter: "HelpFormatter") -> None:
        """Each section with a line for each command, all of them aligned."""
        width = max(len(name) for name in self.commands)
        for title, names in in_sections([*self.commands]):
            rows = [
                (f"{name:<{width}}", _line(self.commands[name], formatter.width - 6 - width))
                for name in names
            ]
            if rows:
                with formatter.section(title):
                    formatter.write_dl(rows)


def _line(command: "Command", limit: int) -> str:
    return command.get_short_help_str(limit)
