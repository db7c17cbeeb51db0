"""What an archive is made of: files of many records, as lines of JSON in gzip, or as Parquet.

A file of lines has the records as the form writes them. One of Parquet has the columns `log`, `seq`, `id`, `kind`, `tenant`,
`time`, `leaf` and `record`, the last as the form writes it; it needs the extra `remit[archive]`.

Source: RFC 1952; Apache Parquet format.
"""

import gzip
import importlib
import io
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from remit.sinks.receivers.options import SinkMisdeclaredError
from remit.sinks.shipment import Shipment

__all__ = ["WRITERS", "check_writer", "name_of"]


def _lines(some: Sequence[Shipment]) -> bytes:
    # Without the time of writing, so that the same records make the same file.
    return gzip.compress(b"".join(one.content + b"\n" for one in some), 6, mtime=0)


def _parquet(some: Sequence[Shipment]) -> bytes:
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    columns: dict[str, tuple[Any, list[Any]]] = {
        "log": (arrow.string(), [one.log for one in some]),
        "seq": (arrow.int64(), [one.sequence for one in some]),
        "id": (arrow.string(), [one.id for one in some]),
        "kind": (arrow.string(), [one.kind for one in some]),
        "tenant": (arrow.string(), [one.tenant for one in some]),
        "time": (arrow.timestamp("ms", tz="UTC"), [one.milliseconds for one in some]),
        "leaf": (arrow.string(), [one.leaf for one in some]),
        "record": (arrow.string(), [one.content.decode() for one in some]),
    }
    table = arrow.table(
        {name: arrow.array(given, type=of) for name, (of, given) in columns.items()}
    )
    written = io.BytesIO()
    parquet.write_table(table, written, compression="zstd")
    return written.getvalue()


WRITERS: Final[Mapping[str, tuple[str, Callable[[Sequence[Shipment]], bytes]]]] = MappingProxyType(
    {"jsonl": ("jsonl.gz", _lines), "parquet": ("parquet", _parquet)}
)
"""The end of a file's name, and what writes it, by what the option `files` says."""


def check_writer(kind: str, sink: str) -> None:
    """Return if files of that kind can be written here.

    Raises:
        SinkMisdeclaredError: a library that it takes is not installed.
    """
    if kind != "parquet":
        return
    try:
        importlib.import_module("pyarrow")
    except ImportError as error:
        raise SinkMisdeclaredError(
            f"the sink `{sink}` writes Parquet, for which `remit[archive]` has to be installed",
            cause=error,
        ) from error


def name_of(some: Sequence[Shipment], end: str) -> str:
    """Where a file with these records belongs: by log, by the day of the first, by the numbers of first and last."""
    first, last = some[0], some[-1]
    folder = "/".join(_segment(one) for one in first.log.split("/"))
    day = datetime.fromtimestamp(first.milliseconds / 1_000, UTC).strftime("%Y/%m/%d")
    return f"{folder}/{day}/{first.sequence:020d}-{last.sequence:020d}.{end}"


def _segment(text: str) -> str:
    """A part of a path that leads nowhere else, whatever a log is called."""
    kept = "".join(
        one if one.isascii() and (one.isalnum() or one in "-_.") else "_" for one in text
    )
    return kept.strip(".") or "_"
