"""What was found about a bundle that is proposed, and what therefore has to happen before it comes into force.

The rules are those of the bundle in force, never of the one proposed: nobody loosens the rule by which they are
judged. Source: docs/guides/deploying-policies.md, "gates".
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum

from remit.canonical import Json, JsonObject
from remit.deployment.loaded import LoadedPolicies
from remit.deployment.proposal_store import report_digest
from remit.model import DeploymentRules, SecondPerson
from remit.replay import Difference, ReplayReport

__all__ = ["Gate", "Judge", "Judgement", "Tables", "gates", "report_of", "summary_of"]

_MAX_SHOWN = 50


class Gate(StrEnum):
    """What a proposal waits for. All are opened by somebody else's word."""

    SECOND_PERSON = "second_person"
    """It widens something privileged, or the rules always ask for a second person."""
    NEWLY_ALLOWED = "newly_allowed"
    """Recorded calls that were refused would be allowed."""
    REGRADED = "regraded"
    """It puts something back that was privileged in an earlier bundle, as something that is not."""
    WEAKER_TESTS = "weaker_tests"
    """Its decision tables no longer hold what those in force do: that would hide what they would show."""
    UNTRIED = "untried"
    """It cannot be tried on some agents only though the rules ask for it, or it was, and that said nothing."""
    REVIEW = "review"
    """It is in force already, put there by one person in an emergency; somebody else has to look at it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tables:
    """What came of the bundle's own decision tables; `failures` says what failed, a sentence each."""

    cases: int
    before: int = 0
    """How many the bundle in force has."""
    weakened: tuple[str, ...] = ()
    """Which of those it takes away, or expects less of; a sentence each."""
    not_run: int = 0
    """An engine outside would have to be asked."""
    failures: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What was found; `replayed` is `None` where no recorded decisions are asked for."""

    tables: Tables
    difference: Difference
    replayed: ReplayReport | None = None


Judge = Callable[[LoadedPolicies, LoadedPolicies], Awaitable[Judgement]]
"""Holds what is in force against what is proposed."""


def gates(rules: DeploymentRules, judgement: Judgement) -> tuple[Gate, ...]:
    """What has to be approved before it comes into force; nothing, when nobody has to look at it."""
    found = []
    if rules.second_person is SecondPerson.ALWAYS or (
        rules.second_person is SecondPerson.WIDENING and judgement.difference.privileged
    ):
        found.append(Gate.SECOND_PERSON)
    replayed = judgement.replayed
    if rules.newly_allowed_reviewed and replayed is not None and replayed.newly_allowed:
        found.append(Gate.NEWLY_ALLOWED)
    if rules.tests_required and judgement.tables.weakened:
        found.append(Gate.WEAKER_TESTS)
    return tuple(found)


def report_of(
    judgement: Judgement, *, base: LoadedPolicies, proposed: LoadedPolicies
) -> tuple[JsonObject, str]:
    """What an approver is shown, and its digest: that is what they approve."""
    difference = judgement.difference
    changes: list[Json] = [one.as_json() for one in difference.changes[:_MAX_SHOWN]]
    failures: list[Json] = list(judgement.tables.failures[:_MAX_SHOWN])
    weakened: list[Json] = list(judgement.tables.weakened[:_MAX_SHOWN])
    report: JsonObject = {
        "base": base.bundle,
        "bundle": proposed.bundle,
        "stage": proposed.repository.stage or "",
        "tests": {
            "cases": judgement.tables.cases,
            "before": judgement.tables.before,
            "not_run": judgement.tables.not_run,
            "failures": failures,
            "weakened": weakened,
            "weakened_left_out": max(0, len(judgement.tables.weakened) - _MAX_SHOWN),
        },
        "difference": {
            "widening": len(difference.widening),
            "narrowing": len(difference.narrowing),
            "privileged": len(difference.privileged),
            "changes": changes,
            "left_out": max(0, len(difference.changes) - _MAX_SHOWN),
        },
        "replay": None if judgement.replayed is None else judgement.replayed.as_json(),
    }
    # Words of an enumeration become plain texts: what is kept, digested and shown is the same then.
    report = json.loads(json.dumps(report))
    return report, report_digest(report)


def summary_of(report: JsonObject) -> JsonObject:
    """What the log keeps of a report: how much was found, and nothing of what the bundles say."""
    tests, difference, replayed = report["tests"], report["difference"], report["replay"]
    said: JsonObject = {}
    if isinstance(tests, dict):
        said["cases"] = tests["cases"]
        listed = tests.get("weakened", [])
        left_out = tests.get("weakened_left_out", 0)
        said["weakened"] = (len(listed) if isinstance(listed, list) else 0) + int(str(left_out))
    if isinstance(difference, dict):
        said |= {name: difference[name] for name in ("widening", "narrowing", "privileged")}
    if isinstance(replayed, dict):
        said |= {name: replayed[name] for name in ("recorded", "decided", "counts")}
    return said
