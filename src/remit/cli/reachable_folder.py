"""Who can and what can, asked of a policy repository in a folder: no server, no accounts, nobody suspended."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from remit.api.administrator import Administrator
from remit.api.reachable.asked import Ground, WhatCan, WhoCan, what_can_asked, who_can_asked
from remit.audit.context import Context
from remit.clock import SystemClock
from remit.guard.definitions import NO_DEFINITIONS
from remit.guard.ports import Standing
from remit.repository import load_repository

__all__ = ["asked_of_folder"]


def asked_of_folder(
    name: str, query: Mapping[str, str | None], repo: Path, *, stage: str | None
) -> dict[str, Any]:
    """The answer that a Remit with this repository would give in `stage`.

    Raises:
        RepositoryInvalidError: there is a mistake in it.
        Error: as the management API refuses.
    """
    loaded, clock = load_repository(repo, stage=stage), SystemClock()
    ground = Ground(
        catalog=loaded.catalog,
        sources=loaded.policies,
        standing=Standing(as_of=clock.now()),
        definitions=NO_DEFINITIONS,
        users=None,
        clock=clock,
    )
    by = Administrator(context=Context())
    if name == "access.who-can":
        draft = who_can_asked(ground, WhoCan.model_validate(query), by)
    else:
        draft = what_can_asked(ground, WhatCan.model_validate(query), by)
    return draft.answered().model_dump(mode="json")
