"""How long an account rests after wrong passwords, and how many one address may try.

The first five in a row are free; each further one makes the account rest, 30 seconds at
first, twice as long each time, 15 minutes at most. So a person who mistypes is hardly
delayed and a guesser gets some hundred tries a day. An address may fail 30 times in five
minutes over all accounts, which is what stops one password tried on every name.

Codes of a second factor are counted by themselves, five in a quarter of an hour and thirty a
day: who gets to try them has the password. A passkey rests for nobody, since no stranger can
be near to proving one; only the address is counted, apart from its passwords.

Source: O21 §2.4.1; NIST SP 800-63B §5.2.2.
"""

from remit.clock import EpochSeconds, Seconds

__all__ = ["ADDRESS_LIMIT", "ADDRESS_WINDOW", "CODE_LIMITS", "rest_after", "rests_until"]

ADDRESS_LIMIT = 30
ADDRESS_WINDOW = Seconds(300)

CODE_LIMITS = ((5, Seconds(900)), (30, Seconds(86_400)))
"""How many wrong codes of one account, in how long."""

_FREE = 5
_FIRST_REST = 30
_LONGEST_REST = 900


def rest_after(failures: int) -> Seconds:
    """How long the account rests after so many wrong passwords in a row."""
    if failures < _FREE:
        return Seconds(0)
    return Seconds(min(_FIRST_REST << min(failures - _FREE, 16), _LONGEST_REST))


def rests_until(failures: int, now: EpochSeconds) -> EpochSeconds | None:
    """When the account may be tried again, or `None` where it may at once."""
    rest = rest_after(failures)
    return EpochSeconds(now + rest) if rest else None
