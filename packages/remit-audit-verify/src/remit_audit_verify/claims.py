"""What records say of other records: a call that was allowed and what became of it, logs that were joined, records that were pruned.

Source: AUDIT §1.3, §1.4.
"""

from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from remit_audit_verify.expected import Expected
from remit_audit_verify.record import Json, JsonObject

__all__ = ["Calls", "Claims", "call_of"]

_REMEMBERED: Final = 65_536


@dataclass(slots=True)
class Calls:
    """Calls that were allowed and have no outcome so far, and outcomes that no decision came before."""

    opened: dict[str, int] = field(default_factory=dict)
    closed: dict[str, int] = field(default_factory=dict)
    _done: dict[str, None] = field(default_factory=dict)

    def open(self, decision: str, sequence: int) -> None:
        self.opened[decision] = sequence

    def close(self, decision: str, sequence: int) -> None:
        """An outcome may be there twice: a request that was never answered may leave its record."""
        if self.opened.pop(decision, None) is not None:
            self._done[decision] = None
            if len(self._done) > _REMEMBERED:
                del self._done[next(iter(self._done))]
        elif decision not in self._done:
            self.closed[decision] = sequence

    def go_on(self, later: "Calls") -> None:
        """Take in what came after."""
        for decision, sequence in later.closed.items():
            self.close(decision, sequence)
        self.opened.update(later.opened)


def call_of(entry: JsonObject) -> tuple[str, bool] | None:
    """The decision of a record that allows a call (`True`) or says what became of it (`False`)."""
    kind, body = entry.get("kind"), entry.get("body")
    if kind not in {"decision", "call.completed"} or not isinstance(body, dict):
        return None
    decision = body.get("decision_id")
    if not isinstance(decision, str):
        return None
    if kind == "call.completed":
        return decision, False
    # Showing a list calls nothing.
    allowed = body.get("outcome") == "allow" and body.get("reason") != "listed"
    return (decision, True) if allowed else None


@dataclass(slots=True)
class _Joined:
    """What one log was, again and again: compactly, as there is one each second."""

    sizes: "array[int]" = field(default_factory=lambda: array("Q"))
    roots: bytearray = field(default_factory=bytearray)


@dataclass(slots=True)
class Claims:
    """Of all logs that are checked together."""

    calls: dict[str, Calls] = field(default_factory=dict)
    """By log."""
    pruned: dict[str, int] = field(default_factory=dict)
    """By log: records before that number were removed, as some log says."""
    joined: dict[str, _Joined] = field(default_factory=dict)

    def read(self, entry: JsonObject) -> str | None:
        """Take in a record of one of the kinds that speak of logs; what is wrong with it, if anything is."""
        kind, body = entry.get("kind"), entry.get("body")
        if not isinstance(body, dict):
            return None
        if kind == "audit.pruned":
            log, size = body.get("log"), body.get("size")
            if isinstance(log, str) and type(size) is int:
                self.pruned[log] = max(size, self.pruned.get(log, 0))
        if kind == "logs.joined":
            logs = body.get("logs")
            for one in logs if isinstance(logs, list) else []:
                wrong = self._join(one)
                if wrong is not None:
                    return wrong
        return None

    def expected(self, log: str) -> Iterator[Expected]:
        """What joined logs say of `log`, in order."""
        found = self.joined.get(log)
        if found is None:
            return
        for number, size in enumerate(found.sizes):
            root = bytes(found.roots[number * 32 : number * 32 + 32])
            yield Expected(
                size=size, root=root, source="the joined log", signed=False, elsewhere=True
            )

    def last_joined(self) -> Mapping[str, int]:
        """How long each log was when it was joined last."""
        return {log: found.sizes[-1] for log, found in self.joined.items()}

    def _join(self, one: Json) -> str | None:
        if not isinstance(one, dict):
            return None
        log, size, root = one.get("log"), one.get("size"), one.get("root")
        if not isinstance(log, str) or type(size) is not int or not isinstance(root, str):
            return None
        try:
            digest = bytes.fromhex(root)
        except ValueError:
            return f"joins `{log}` by what is no root"
        if size <= 0 or len(digest) != 32:
            return None if size == 0 else f"joins `{log}` by what is no root"
        found = self.joined.setdefault(log, _Joined())
        if found.sizes and size < found.sizes[-1]:
            return f"says that `{log}` has become shorter"
        if found.sizes and size == found.sizes[-1]:
            same = digest == found.roots[-32:]
            return None if same else f"says that `{log}` has become another"
        found.sizes.append(size)
        found.roots += digest
        return None
