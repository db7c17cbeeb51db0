"""How requests to people are shown: what is asked, who has to say yes, and how people answer."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from remit.cli.terminal import Column, instant, print_fields, print_table, styled

__all__ = ["print_approval", "print_approvals", "print_figures", "print_seen"]

_COLOURS: Mapping[str, str] = {
    "waiting": "yellow",
    "approved": "green",
    "refused": "red",
    "expired": "dim",
    "withdrawn": "dim",
}


def print_approvals(found: Sequence[Mapping[str, Any]]) -> None:
    """One line each."""
    print_table(
        [Column("APPROVAL", "bold"), Column("STATE"), Column("WHAT", folds=True), Column("AGENT"),
         Column("WAITS FOR"), Column("UNTIL")],
        [
            (one["id"], styled(one["state"], _COLOURS.get(one["state"], "")), _what(one), one["agent"],
             ", ".join(_need(need) for need in one["needs"]), instant(one["expires_at"]))
            for one in found
        ],
        empty="nothing waits for anybody",
    )  # fmt: skip


def print_approval(one: Mapping[str, Any]) -> None:
    """All that an administrator sees of it."""
    print_fields(_fields(one))


def print_seen(one: Mapping[str, Any]) -> None:
    """All that whoever answers sees of it, arguments included, every character of them plain."""
    arguments = one["arguments"]
    shown = [] if arguments is None else [("arguments", json.dumps(arguments, ensure_ascii=True))]
    justification = one["justification"] or ""
    strongly = one["demand_acr"] or ("anew" if one["demand_max_age"] is not None else "")
    print_fields(
        [
            *_fields(one),
            *shown,
            ("says", json.dumps(justification, ensure_ascii=True) if justification else ""),
            ("log in", strongly),
        ]
    )


def print_figures(found: Sequence[Mapping[str, Any]]) -> None:
    """One line over all, then of each person and each rule."""
    print_table(
        [Column("WHO OR WHAT", "bold"), Column("APPROVED"), Column("REFUSED"), Column("EXPIRED"),
         Column("MEDIAN"), Column("HASTY")],
        [
            (_of_whom(one), str(one["approved"]), str(one["refused"]), str(one["expired"]),
             "-" if one["median_seconds"] is None else f"{one['median_seconds']}s",
             styled(str(one["hasty"]), "red" if one["hasty"] else ""))
            for one in found
        ],
        empty="nobody was asked",
    )  # fmt: skip


def _fields(one: Mapping[str, Any]) -> list[tuple[str, str]]:
    answers = [
        f"{said['verdict']} by {said['person']} ({said['capacity']}, after {said['seconds']}s)"
        for said in one["answers"]
    ]
    return [
        ("approval", one["id"]),
        ("state", one["state"]),
        ("what", _what(one)),
        ("environment", one["environment"] or ""),
        ("agent", one["agent"]),
        ("for", one["user"] or "nobody: it acts for itself"),
        ("organisation", one["tenant"]),
        ("needs", ", ".join(_need(need) for need in one["needs"])),
        ("answers", "; ".join(answers)),
        ("asked", instant(one["created_at"])),
        ("until", instant(one["expires_at"])),
        ("decision", one["decision_id"]),
        ("page", one["url"]),
    ]


def _what(one: Mapping[str, Any]) -> str:
    return f"access {one['name']}" if one["kind"] is None else f"{one['server']}/{one['name']}"


def _need(need: Mapping[str, Any]) -> str:
    if need["kind"] == "confirmation":
        return "confirmation"
    many = f" x{need['quorum']}" if need["quorum"] > 1 else ""
    return f"{need['role'] or 'owner'}{many}"


def _of_whom(one: Mapping[str, Any]) -> str:
    if one["person"] is None and one["rule"] is None:
        return "everybody"
    return str(one["person"] or f"rule {one['rule']}")
