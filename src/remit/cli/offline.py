"""The management application in this process, for when no server runs.

It opens what a server would open, the same lock included, so it can never act
beside one. Only what is wrong is logged.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp

from remit.app import build
from remit.app.logs import configure_logs
from remit.cli.options import Where
from remit.settings import LogFormat, LogLevel, load_settings

__all__ = ["open_in_process"]


@asynccontextmanager
async def open_in_process(where: Where) -> AsyncIterator[ASGIApp]:
    """Open Remit as its settings say, without a port, and close it again.

    Raises:
        SettingsInvalidError: the settings cannot be used.
        Error: something cannot be opened; `detail` says what.
    """
    configure_logs(LogLevel.ERROR, LogFormat.CONSOLE)
    settings = load_settings(flags=where.flags, environ=os.environ, config=where.config).settings
    async with build(settings) as app:
        yield app.management
