"""Passwords: what may be one, and how one is kept and checked.

Kept as Argon2id with the second parameters that RFC 9106 recommends (3 passes over
64 MiB, 4 lanes). Hashing takes a tenth of a second of a processor, so it happens in a few
threads of its own, and when too many wait, further ones are refused at once. Checking a
password of nobody costs what checking a real one does.

Refused as a new password: shorter than 12 characters, longer than 256, the user name, and
one character over and over.

Source: RFC 9106 §4; NIST SP 800-63B §5.1.1.
"""

import asyncio
import unicodedata
from base64 import b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from typing import ClassVar, TypeVar

from argon2 import PasswordHasher as Argon2
from argon2 import Type
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from remit.errors import Error, UnavailableError

__all__ = ["ABSENT_PASSWORD", "MIN_LENGTH", "BusyError", "Passwords", "WeakPasswordError"]

T = TypeVar("T")

ABSENT_PASSWORD = "none"  # noqa: S105  what stands in place of a hash
"""The hash of an account that has no password, and that no password matches."""

MIN_LENGTH = 12
_MAX_LENGTH = 256
_WAITING = 32


class WeakPasswordError(Error):
    """The password may not be used for an account; `detail` says what is missing."""

    code: ClassVar[str] = "weak_password"


class BusyError(UnavailableError):
    """Too many people log in at this moment; nothing was checked."""

    code: ClassVar[str] = "busy"


class Passwords:
    """Hashes and checks passwords, `at_once` of them at a time.

    The parameters are arguments so that tests may use cheap ones; nobody else should.
    """

    def __init__(
        self,
        *,
        at_once: int = 2,
        passes: int = RFC_9106_LOW_MEMORY.time_cost,
        memory_kib: int = RFC_9106_LOW_MEMORY.memory_cost,
        lanes: int = RFC_9106_LOW_MEMORY.parallelism,
    ) -> None:
        self._argon2 = Argon2(
            time_cost=passes, memory_cost=memory_kib, parallelism=lanes, type=Type.ID
        )
        self._threads = ThreadPoolExecutor(max_workers=at_once, thread_name_prefix="password")
        self._of_nobody = _hash_of_nobody(passes, memory_kib, lanes)
        self._waiting = 0

    async def hash_new(self, password: str, *, username: str) -> str:
        """The Argon2id hash of a password for a new account.

        Raises:
            WeakPasswordError: it may not be one.
            BusyError: too many wait.
        """
        _refuse_weak(password, username)
        return await self._in_thread(lambda: self._argon2.hash(_normalized(password)))

    async def check(self, password: str, stored: str | None) -> bool:
        """Whether `stored` is the hash of `password`; the same work where it is `None` or `ABSENT_PASSWORD`.

        Raises:
            BusyError: too many wait.
        """
        against = self._of_nobody if stored is None or stored == ABSENT_PASSWORD else stored
        return await self._in_thread(lambda: self._matches(against, _normalized(password)))

    async def renew(self, password: str, stored: str) -> str | None:
        """The hash to keep in place of `stored`, if that was made with other parameters.

        `password` was just checked against it.
        """
        if not self._argon2.check_needs_rehash(stored):
            return None
        return await self._in_thread(lambda: self._argon2.hash(_normalized(password)))

    def refuse_when_busy(self) -> None:
        """Return if a password could be checked now.

        Raises:
            BusyError: too many wait.
        """
        if self._waiting >= _WAITING:
            raise BusyError("too many people are logging in; try again in a moment")

    def close(self) -> None:
        """Let what runs finish, and take nothing more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def _in_thread(self, work: Callable[[], T]) -> T:
        self.refuse_when_busy()
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._argon2.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False


def _hash_of_nobody(passes: int, memory_kib: int, lanes: int) -> str:
    """A hash that no password has, and that costs as much to check as a real one."""
    salt, tag = (b64encode(token_bytes(size)).rstrip(b"=").decode() for size in (16, 32))
    return f"$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${tag}"


def _refuse_weak(password: str, username: str) -> None:
    text = _normalized(password)
    if len(text) < MIN_LENGTH:
        raise WeakPasswordError(f"a password has at least {MIN_LENGTH} characters")
    if len(text) > _MAX_LENGTH:
        raise WeakPasswordError(f"a password has at most {_MAX_LENGTH} characters")
    if text.casefold() == username.strip().casefold():
        raise WeakPasswordError("the password is the user name")
    if len(set(text)) < 3:
        raise WeakPasswordError("the password repeats one or two characters")


def _normalized(password: str) -> str:
    # The same password from two keyboards may differ in bytes (NIST SP 800-63B §5.1.1.2).
    return unicodedata.normalize("NFKC", password[: 4 * _MAX_LENGTH])
