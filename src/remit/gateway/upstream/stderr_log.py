"""What a child process says on its standard error, fit for the operator's log.

Cut to length, stripped of control characters, of the secrets it was started with in any spelling that
`credentials` knows, and of what looks like a token; and no more than so many lines in so many seconds.
"""

import logging
import re
import time

from remit.gateway.upstream.credentials import Credentials

__all__ = ["StderrLog"]

_LINES = 50
_SECONDS = 10.0
_LENGTH = 500
_BUFFER = 8 * 1024
_TOKENS = re.compile(r"(?i)bearer\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]*")
_HIDDEN = "[secret]"


class StderrLog:
    """The log of one process."""

    def __init__(self, name: str, *, secrets: tuple[str, ...] = ()) -> None:
        self._log = logging.getLogger("remit.gateway.upstream")
        self._name = name
        self._credentials = Credentials(secrets)
        self._rest = b""
        self._since = 0.0
        self._written = 0
        self._suppressed = 0

    def take(self, chunk: bytes) -> None:
        """Log the lines that `chunk` completes."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        for line in lines:
            self._line(line)
        if len(self._rest) > _BUFFER:
            self.end()

    def end(self) -> None:
        """Log what is left without a line end."""
        if self._rest:
            self._line(self._rest)
            self._rest = b""

    def note(self, message: str) -> None:
        """Log a remark of our own about the process."""
        self._log.warning("upstream %s: %s", self._name, message)

    def _line(self, raw: bytes) -> None:
        now = time.monotonic()
        if now - self._since > _SECONDS:
            if self._suppressed:
                self.note(f"{self._suppressed} lines of its standard error were not logged")
            self._since, self._written, self._suppressed = now, 0, 0
        if self._written >= _LINES:
            self._suppressed += 1
            return
        text = self._scrubbed(raw.decode("utf-8", "replace"))
        if text:
            self._written += 1
            self._log.info("upstream %s: %s", self._name, text)

    def _scrubbed(self, text: str) -> str:
        text = _TOKENS.sub(_HIDDEN, self._credentials.hidden_in(text, _HIDDEN))
        return "".join(character if character.isprintable() else " " for character in text).strip()[
            :_LENGTH
        ]
