"""A report as JSON: what `remit test --format json` prints, and what the gate before a deployment keeps."""

from remit.canonical import JsonObject
from remit.casebook.coverage import Coverage
from remit.casebook.report import Found, Report, Result, Status
from remit.casebook.why import reasons

__all__ = ["coverage_as_json", "report_as_json"]


def report_as_json(report: Report) -> JsonObject:
    """All of `report`."""
    return {
        "passed": report.passed,
        "counts": {status.value: len(report.of(status)) for status in Status},
        "stage": report.stage,
        "catalog_version": report.catalog_version,
        "seconds": round(report.micros / 1_000_000, 6),
        "coverage": coverage_as_json(report.coverage),
        "results": [_result(one) for one in report.results],
    }


def coverage_as_json(coverage: Coverage) -> JsonObject:
    """What the cases put to the test."""
    return {
        "percent": round(coverage.percent, 1),
        "policies": [
            {
                "id": one.id,
                "effect": one.effect.value,
                "conditional": one.conditional,
                "decided": one.decided,
                "aside": one.aside,
            }
            for one in coverage.policies
        ],
        "things": [
            {"name": one.name, "allowed": one.allowed, "refused": one.refused}
            for one in coverage.things
        ],
        "never_decided": list(coverage.silent_policies),
    }


def _result(result: Result) -> JsonObject:
    case = result.case
    return {
        "file": case.file,
        "line": case.line,
        "name": case.name,
        "title": case.title,
        "row": case.row,
        "asked": case.question.thing,
        "status": result.status.value,
        "why": result.why,
        "found": None if result.found is None else _found(result.found),
        "differences": [
            {"what": one.what, "expected": one.expected, "found": one.found}
            for one in result.differences
        ],
        "micros": result.micros,
    }


def _found(found: Found) -> JsonObject:
    return {
        "outcome": found.outcome.value,
        "reason": found.reason,
        "rules": [{"id": one.id, "effect": one.effect.value} for one in found.rules],
        "observed": [one.id for one in found.observed],
        "obligations": [
            {"kind": one.kind.value, "value": one.value, "rule": one.rule}
            for one in found.obligations
        ],
        "cures": [
            {"kind": one.kind.value, "value": one.value, "rule": one.rule} for one in found.needs
        ],
        "message": found.message,
        "scopes": list(found.scopes),
        "missing": list(found.missing),
        "granted": list(found.granted),
        "withheld": dict(found.withheld or {}),
        "sees": list(found.sees),
        "engine": found.engine,
        "because": list(reasons(found)),
    }
