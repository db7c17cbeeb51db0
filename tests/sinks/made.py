"""What tests about sinks make again and again: records, shipments, settings."""

import orjson

from remit.audit.source import Record
from remit.sinks.forms.form import FORMS, shipment_of
from remit.sinks.port import SinkSettings
from remit.sinks.shipment import told_of

WEBHOOK_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SECRETS = {
    "env:HOOK": WEBHOOK_SECRET,
    "env:TOKEN": "b3f1-token",
    "env:KEYS": "AKIDEXAMPLE:wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
}
LOG = "remit/main"
ENTRY = {
    "v": 1,
    "id": "evt_01jabcdefg0123456789abcdef",
    "seq": 7,
    "prev": "00" * 32,
    "kind": "decision",
    "time": "2026-11-22T17:00:00.123Z",
    "observed": "2026-11-22T17:00:00.125Z",
    "producer": {"service": "remit", "instance": "main", "version": "0.1.0"},
    "tenant": "acme",
    "env": "prod",
    "actor": {"type": "agent", "id": "agt_support"},
    "user": "usr_1",
    "agent": "agt_support",
    "client": "cli_1",
    "grant": "grt_1",
    "flow": None,
    "net": {"ip": "192.0.2.7", "ua": "claude/1.0"},
    "trace": {"trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7"},
    "body": {
        "decision_id": "dec_1",
        "server": "payments",
        "method": "tools/call",
        "name": "refund",
        "outcome": "deny",
        "reason": "policy",
        "operation": "write",
        "sensitivity": "high",
        "rules": [{"id": "refunds-of-500", "effect": "forbid"}],
        "policy_version": "sha256:ab",
        "input": {"amount": "tok1.string.abcdef"},
        "micros": 1_234,
        "scopes_token": ["payments:refund.create"],
    },
}


def record(entry=None, *, sequence=7, log=LOG, **body):
    """A record that says that; with `body`, a decision whose body says so besides."""
    entry = ENTRY if entry is None else entry
    if body:
        entry = {**entry, "body": {**entry["body"], **body}}
    entry = {**entry, "seq": sequence, "id": f"evt_{sequence:026d}"}
    return Record(log, sequence, orjson.dumps(entry, option=orjson.OPT_SORT_KEYS))


def told(entry=None, **changes):
    return told_of(record(entry, **changes))


def shipments(count=3, *, form="json", longest=1_000_000, first=0):
    """As many, one after another."""
    return tuple(
        shipment_of(told(sequence=first + n), FORMS[form], longest=longest) for n in range(count)
    )


def settings(url, *, form="json", secret="env:TOKEN", name="siem", clock=None, **options):
    given = {} if clock is None else {"clock": clock}
    return SinkSettings(
        name=name,
        url=url,
        form=FORMS[form],
        read_secret=lambda: None if secret is None else SECRETS[secret],
        options=options,
        **given,
    )
