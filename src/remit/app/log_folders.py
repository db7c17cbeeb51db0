"""Where what is derived of a log lies in the data folder: beside the log, or apart where the log is in the database."""

from pathlib import Path
from urllib.parse import quote

from remit.audit.source import RecordSource
from remit.audit.tiled_logs import TiledLogs

__all__ = ["folder_of_log", "tiled_logs"]


def folder_of_log(data: Path, log: str) -> Path | None:
    """The folder of a log in files; `None` of others."""
    name = log.partition("/")[2]
    if not name or "/" in name or name.startswith("."):
        return None
    folder = data / "audit" / name
    return folder if folder.is_dir() else None


def tiled_logs(source: RecordSource, data: Path) -> TiledLogs:
    """The tiles of all logs that `source` has, below the data folder `data`."""
    return TiledLogs(
        source, lambda log: folder_of_log(data, log) or data / "tiles" / quote(log, safe="")
    )
