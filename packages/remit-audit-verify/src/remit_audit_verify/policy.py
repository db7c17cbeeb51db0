"""Who has to have signed: a tlog-policy file, and whether a note has what it demands.

Refused is every file in which two readers could see two policies: a name that is defined twice
or used twice, a threshold that no group can have, more or fewer than one quorum line, a key that
stands there twice. A signature by a listed key that does not hold spoils its whole note; of keys that
are not listed nothing is known, and they are passed over.

Source: C2SP tlog-policy; C2SP tlog-cosignature.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from remit_audit_verify.cosignature import WitnessKey
from remit_audit_verify.errors import VerifyError
from remit_audit_verify.note import SignedCheckpoint, VerifierKey

__all__ = ["NO_POLICY", "BadPolicyError", "Policy", "Witnessed", "parse_policy"]

_NONE: Final = "none"
_MAX_NAMES: Final = 1_000


class BadPolicyError(VerifyError):
    """A policy that cannot be read, with the number of the line."""


@dataclass(frozen=True, slots=True)
class Witnessed:
    """What the cosignatures of one note come to."""

    enough: bool
    time: int | None
    """From when on the quorum stood: nobody can claim later that a record after it is older (seconds)."""
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Logs whose keys count, witnesses whose signatures count, and which of them are enough."""

    logs: tuple[VerifierKey, ...] = ()
    witnesses: Mapping[str, WitnessKey] = field(default_factory=dict)
    groups: Mapping[str, tuple[int, tuple[str, ...]]] = field(default_factory=dict)
    quorum: str = _NONE

    @property
    def demands(self) -> bool:
        """Whether any witness is needed."""
        return self.quorum != _NONE

    def judge(self, note: SignedCheckpoint) -> Witnessed:
        """Who of the listed witnesses signed `note`, and whether that is the quorum.

        Raises:
            BadCosignatureError: a listed witness's signature does not hold.
        """
        known = {(key.name, key.hash): name for name, key in self.witnesses.items()}
        times: dict[str, int] = {}
        for key_name, key_hash, signature in note.signatures:
            name = known.get((key_name, key_hash))
            if name is not None:
                time = self.witnesses[name].verify(note.checkpoint, signature)
                times[name] = max(time, times.get(name, 0))
        stood = self._stood(times)
        return Witnessed(not self.demands or stood is not None, stood, tuple(sorted(times)))

    def _stood(self, times: Mapping[str, int]) -> int | None:
        """The earliest time at which the quorum had witnessed: of a group, when the last it needs had."""
        stood = dict(times)
        for name, (threshold, members) in self.groups.items():  # members stand above their group
            found = sorted(stood[member] for member in members if member in stood)
            if len(found) >= threshold:
                stood[name] = found[threshold - 1]
        return stood.get(self.quorum)


NO_POLICY: Final = Policy()


def parse_policy(text: str) -> Policy:
    """Read a tlog-policy file.

    Raises:
        BadPolicyError: it is none, in the words of the line that is wrong.
    """
    reading = _Reading()
    for number, line in enumerate(text.split("\n"), start=1):
        if any(
            (ord(character) < 32 and character != "\t") or ord(character) == 127
            for character in line
        ):
            raise BadPolicyError(f"line {number}: holds a control character")
        words = line.replace("\t", " ").split(" ")
        words = [word for word in words if word]
        if not words or words[0].startswith("#"):
            continue
        try:
            reading.take(words)
        except VerifyError as error:
            raise BadPolicyError(f"line {number}: {error.detail}", cause=error) from error
    return reading.done()


class _Reading:
    """What the lines so far define."""

    def __init__(self) -> None:
        self._logs: list[VerifierKey] = []
        self._witnesses: dict[str, WitnessKey] = {}
        self._groups: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._members: set[str] = set()
        self._quorum: str | None = None

    def take(self, words: list[str]) -> None:
        match words:
            case ["log", key] | ["log", key, _]:
                self._add_log(VerifierKey.parse(key))
            case ["witness", name, key] | ["witness", name, key, _]:
                self._add_witness(name, WitnessKey.parse(key))
            case ["group", name, threshold, *members] if members:
                self._add_group(name, threshold, tuple(members))
            case ["quorum", name]:
                if self._quorum is not None:
                    raise BadPolicyError("a second quorum")
                if name != _NONE:
                    self._known(name)
                self._quorum = name
            case _:
                raise BadPolicyError("neither log, witness, group nor quorum")

    def done(self) -> Policy:
        if self._quorum is None:
            raise BadPolicyError("there is no quorum line")
        return Policy(
            logs=tuple(self._logs),
            witnesses=self._witnesses,
            groups=self._groups,
            quorum=self._quorum,
        )

    def _add_log(self, key: VerifierKey) -> None:
        if any(key.public == other.public for other in self._logs):
            raise BadPolicyError("the same log twice")
        self._logs.append(key)

    def _add_witness(self, name: str, key: WitnessKey) -> None:
        self._new(name)
        if any(key.public == other.public for other in self._witnesses.values()):
            raise BadPolicyError("the same witness twice")
        self._witnesses[name] = key

    def _add_group(self, name: str, threshold: str, members: tuple[str, ...]) -> None:
        self._new(name)
        for member in members:
            self._known(member)
            if member in self._members:
                raise BadPolicyError(f"`{member}` is a member twice")
            self._members.add(member)
        needed = {"all": len(members), "any": 1}.get(threshold)
        if needed is None:
            if not threshold.isascii() or not threshold.isdecimal() or len(threshold) > 4:
                raise BadPolicyError("a threshold is `all`, `any` or a number")
            needed = int(threshold)
        if not 1 <= needed <= len(members):
            raise BadPolicyError(f"no {needed} of {len(members)} members")
        self._groups[name] = (needed, members)

    def _new(self, name: str) -> None:
        if name == _NONE or name in self._witnesses or name in self._groups:
            raise BadPolicyError(f"`{name}` is taken")
        if len(self._witnesses) + len(self._groups) >= _MAX_NAMES:
            raise BadPolicyError("too many names")

    def _known(self, name: str) -> None:
        if name not in self._witnesses and name not in self._groups:
            raise BadPolicyError(f"`{name}` is not defined above")
