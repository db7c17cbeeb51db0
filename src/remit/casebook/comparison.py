"""In what an answer differs from the one that was expected. What is not expected of it may be anything."""

from collections.abc import Iterable, Iterator, Mapping

from remit.casebook.case import Expected
from remit.casebook.report import Difference, Found
from remit.policy.obligation import Obligation

__all__ = ["differences"]

_NONE = "none"


def differences(expected: Expected, found: Found) -> Iterator[Difference]:
    """Everything that is not as it should be, the weightiest first."""
    if expected.outcome is not None and found.outcome is not expected.outcome:
        yield Difference("outcome", expected.outcome.value, found.outcome.value)
    if expected.reason is not None and found.reason != expected.reason:
        yield Difference("reason", expected.reason, found.reason)
    rules = [rule.id for rule in found.rules]
    observed = [rule.id for rule in found.observed]
    yield from _some("rules", expected.rules, rules)
    yield from _some("observed", expected.observed, observed)
    if expected.obligations is not None:
        yield from _duties("obligation", expected.obligations, found.obligations)
    if expected.cures is not None:
        yield from _duties("cure", expected.cures, found.needs)
    if expected.message is not None and expected.message not in found.message:
        yield Difference("message", f"… {expected.message} …", found.message or _NONE)
    yield from _exactly("scopes", expected.scopes, found.scopes)
    yield from _exactly("granted", expected.granted, found.granted)
    for scope, why in (expected.withheld or {}).items():
        actual = (found.withheld or {}).get(
            scope, "granted" if scope in found.granted else "not asked"
        )
        if actual != why:
            yield Difference(f"withheld {scope}", why, actual)
    if expected.withheld == {} and found.withheld:
        yield Difference("withheld", _NONE, _words(found.withheld))
    yield from _some("sees", expected.sees, found.sees)
    for name in expected.hides or ():
        if name in found.sees:
            yield Difference("hides", name, "it is seen")
    if expected.hides == () and not found.sees:
        yield Difference("hides", _NONE, "everything")


def _some(what: str, wanted: tuple[str, ...] | None, found: Iterable[str]) -> Iterator[Difference]:
    """Those wanted are there; none, when none are wanted."""
    if wanted is None:
        return
    there = list(dict.fromkeys(found))
    lacking = [one for one in wanted if one not in there]
    if lacking or (not wanted and there):
        yield Difference(what, _words(wanted), _words(there))


def _exactly(
    what: str, wanted: frozenset[str] | None, found: Iterable[str]
) -> Iterator[Difference]:
    there = list(found)
    if wanted is not None and set(there) != wanted:
        yield Difference(what, _words(sorted(wanted)), _words(sorted(there)))


def _duties(
    what: str, wanted: Mapping[str, tuple[str, ...]], found: Iterable[Obligation]
) -> Iterator[Difference]:
    there: dict[str, list[str]] = {}
    for duty in found:
        there.setdefault(duty.kind.value, []).append(duty.value)
    if not wanted and there:
        yield Difference(
            f"{what}s", _NONE, _words(f"{kind}: {', '.join(of)}" for kind, of in there.items())
        )
    for kind, values in wanted.items():
        yield from _some(f"{what} {kind}", values, there.get(kind, ()))


def _words(several: Iterable[str]) -> str:
    return ", ".join(several) or _NONE
