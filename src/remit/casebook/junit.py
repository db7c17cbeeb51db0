"""A report as JUnit XML, as Jenkins, GitLab and the reporters of GitHub read it.

A case that was not run is `skipped`: that the run as a whole is no success, the exit code says.

Source: the schema of the Jenkins xUnit plug-in (`testsuites`, `testsuite`, `testcase`, `failure`, `skipped`).
"""

import re
from itertools import groupby
from typing import Final
from xml.etree import ElementTree as ET

from remit.casebook.report import Report, Result, Status
from remit.casebook.why import circumstances, reasons

__all__ = ["junit_xml"]

# What XML 1.0 §2.2 does not admit, and no parser would take back.
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: Report) -> bytes:
    """`report` as a document."""
    root = ET.Element("testsuites", {"name": "remit test", **_counts(report.results)})
    root.set("time", _seconds(report.micros))
    for file, group in groupby(report.results, key=lambda one: one.case.file):
        results = tuple(group)
        suite = ET.SubElement(root, "testsuite", {"name": _text(file), **_counts(results)})
        suite.set("time", _seconds(sum(one.micros for one in results)))
        for result in results:
            _add_case(suite, result)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _add_case(suite: ET.Element, result: Result) -> None:
    case = result.case
    element = ET.SubElement(
        suite,
        "testcase",
        name=_text(case.title),
        classname=_text(case.file),
        file=_text(case.file),
        line=str(case.line),
        time=_seconds(result.micros),
    )
    if result.status is Status.FAILED:
        said = "; ".join(
            f"{one.what}: expected {one.expected}, found {one.found}" for one in result.differences
        )
        failure = ET.SubElement(element, "failure", type="decision", message=_text(said))
        lines = [case.place, circumstances(case.question), said]
        lines += list(reasons(result.found)) if result.found is not None else []
        failure.text = _text("\n".join(lines))
    elif result.status is not Status.PASSED:
        ET.SubElement(element, "skipped", message=_text(result.why))


def _counts(results: tuple[Result, ...]) -> dict[str, str]:
    statuses = [one.status for one in results]
    skipped = statuses.count(Status.NOT_RUN) + statuses.count(Status.LEFT_OUT)
    return {
        "tests": str(len(results)),
        "failures": str(statuses.count(Status.FAILED)),
        "errors": "0",
        "skipped": str(skipped),
    }


def _seconds(micros: int) -> str:
    return f"{micros / 1_000_000:.6f}"


def _text(text: str) -> str:
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text)
