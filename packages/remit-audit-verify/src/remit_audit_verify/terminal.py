"""What a person at a terminal sees: how far a long log is checked, and the verdict in colour.

Nothing of it where output goes to a file, or `NO_COLOR` is set.
"""

import os
import sys
import time
from typing import Final, TextIO

from remit_audit_verify.report import Verdict
from remit_audit_verify.verify import LONG

__all__ = ["Bar", "painted"]

_COLOURS: Final = {
    Verdict.VALID: "32",
    Verdict.TAMPERED: "1;31",
    Verdict.INCOMPLETE: "33",
    Verdict.STALE: "33",
}
_WIDTH: Final = 30
_EVERY: Final = 0.1


class Bar:
    """How far a long log is read."""

    def __init__(self, stream: TextIO | None = None, *, shown: bool | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._shown = self._stream.isatty() if shown is None else shown
        self._began = time.monotonic()
        self._last = 0.0
        self._drawn = False

    def show(self, done: int, total: int) -> None:
        """Of `total` bytes, `done` are read."""
        now = time.monotonic()
        if not self._shown or total < LONG or (now - self._last < _EVERY and done < total):
            return
        self._last = now
        self._drawn = True
        self._stream.write(f"\r\x1b[K{self._line(done, total, now - self._began)}")
        self._stream.flush()

    def close(self) -> None:
        """Leave nothing behind."""
        if self._drawn:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    @staticmethod
    def _line(done: int, total: int, seconds: float) -> str:
        filled = _WIDTH * done // total
        rate = done / seconds if seconds > 0 else 0.0
        left = f", {(total - done) / rate:,.0f} s left" if rate else ""
        bar = "━" * filled + "·" * (_WIDTH - filled)
        return (
            f"verifying {bar} {100 * done // total:3d} % of {total / 1e6:,.0f} MB,"
            f" {rate / 1e6:,.0f} MB/s{left}"
        )


def painted(text: str, verdicts: dict[Verdict, str], *, stream: TextIO | None = None) -> str:
    """`text`, with the words of each verdict in its colour where `stream` is a terminal."""
    stream = sys.stdout if stream is None else stream
    if not stream.isatty() or "NO_COLOR" in os.environ:
        return text
    lines = text.split("\n")
    for number, line in enumerate(lines):
        for verdict, words in verdicts.items():
            if line.endswith(f": {words}") and not line.startswith("  "):
                colour = _COLOURS[verdict]
                lines[number] = f"{line.removesuffix(words)}\x1b[{colour}m{words}\x1b[0m"
    return "\n".join(lines)
