"""The options that several commands share, each defined once."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

__all__ = ["AsJson", "Config", "Data", "DatabaseUrl", "Reason", "Repo", "Where"]

Data = Annotated[
    Path | None,
    typer.Option(
        "--data", metavar="DIR", help="Data folder of the Remit to talk to.  [default: REMIT_DATA, or ./data]",
        show_default=False,
    ),
]  # fmt: skip
Repo = Annotated[
    Path | None,
    typer.Option(
        "--repo", metavar="DIR", help="Policy repository; needed only while no server runs.",
        show_default=False,
    ),
]  # fmt: skip
Config = Annotated[
    Path | None,
    typer.Option(
        "--config", metavar="FILE", help="Settings file; needed only while no server runs.",
        show_default=False,
    ),
]  # fmt: skip
DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        "--database-url", metavar="URL", help="Database; needed only while no server runs.",
        show_default=False,
    ),
]  # fmt: skip
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")]
Reason = Annotated[
    str,
    typer.Option(
        "--reason", metavar="TEXT", help="Why; recorded in the audit log.", show_default=False
    ),
]


@dataclass(frozen=True, slots=True)
class Where:
    """Which Remit a command is about: the folder that finds a running one, and how to open it when none runs."""

    data: Path | None = None
    repo: Path | None = None
    config: Path | None = None
    database_url: str | None = None
    stage: str | None = None

    @property
    def flags(self) -> dict[str, object]:
        """What was said on the command line, as `remit.settings` takes it."""
        return {
            "data": self.data,
            "repo": self.repo,
            "database_url": self.database_url,
            "stage": self.stage,
        }

    @property
    def named_stage(self) -> str | None:
        """The stage of a folder that was named: as said on the command line, else in the environment."""
        return self.stage or os.environ.get("REMIT_STAGE") or None
