import pytest

from remit.model import (
    NO_AUDIT_RULES,
    AuditRules,
    AuditTreatment,
    Classification,
    RedactionRule,
    RemoteCopy,
    Retention,
    SinkRules,
    TimestampAuthority,
    Witness,
)

from .conftest import Repository

KEY = "witness.acme.example+7f3d4a21+BEdqO0v0mJ1m7bqGrcJxq1l8zv9a5k8m3m2nKq0s1t2u"
WHOLE = f"""\
receipts: false
redaction:
  - path: $..ssn
    treatment: drop
    class: pii
    servers: [crm]
    tools: [crm/get]
    tenants: [acme]
  - {{path: '$.note', treatment: token}}
detectors: {{off: [phone]}}
retention:
  records: 730d
  sealed: 90d
  kinds: {{'grant.*': 3650d, decision: 400d}}
sinks:
  siem:
    kind: syslog
    form: cef
    url: tls://siem.acme.example:6514
    secret: env:SIEM_KEY
    kinds: [decision, 'grant.*']
    tenants: [acme]
    options: {{host_name: remit, longest: 4096}}
    alert_after: 30s
  cold: {{kind: archive, url: /var/lib/remit/archive}}
  hook: {{kind: webhook, url: 'https://hook.acme.example/', options: {{confirm: true}}}}
remote_copy: {{sink: siem, max_lag: 60s, sensitivity: critical}}
witnesses:
  acme: {{url: 'https://witness.acme.example', key: {KEY}}}
  globex: {{url: 'https://witness.globex.example', key: {KEY}}}
quorum: 2
timestamps: {{url: 'http://tsa.acme.example/', every: 1d, roots: /etc/remit/tsa.pem}}
"""


def test_without_the_file_nothing_is_kept_in_clear_and_nobody_gets_a_copy(
    repository: Repository,
) -> None:
    assert repository.catalog().audit == NO_AUDIT_RULES


def test_what_is_left_out_has_its_default(repository: Repository) -> None:
    assert repository.write("audit.yaml", "receipts: true\n").catalog().audit == NO_AUDIT_RULES


def test_what_is_written_is_what_holds(repository: Repository) -> None:
    year = 365 * 86_400
    assert repository.write("audit.yaml", WHOLE).catalog().audit == AuditRules(
        receipts=False,
        redaction=(
            RedactionRule(
                path="$..ssn",
                treatment=AuditTreatment.DROP,
                classification=Classification.PII,
                servers=("crm",),
                tools=("crm/get",),
                tenants=("acme",),
            ),
            RedactionRule(path="$.note", treatment=AuditTreatment.TOKEN),
        ),
        detectors_off=frozenset({"phone"}),
        retention=Retention(
            records=2 * year,
            sealed=90 * 86_400,
            kinds={"grant.*": 10 * year, "decision": 400 * 86_400},
        ),
        sinks={
            "siem": SinkRules(
                name="siem",
                kind="syslog",
                form="cef",
                url="tls://siem.acme.example:6514",
                secret="env:SIEM_KEY",
                kinds=("decision", "grant.*"),
                tenants=("acme",),
                options={"host_name": "remit", "longest": "4096"},
                alert_after=30,
            ),
            "cold": SinkRules(name="cold", kind="archive", url="/var/lib/remit/archive"),
            "hook": SinkRules(
                name="hook",
                kind="webhook",
                url="https://hook.acme.example/",
                options={"confirm": "true"},
            ),
        },
        remote_copy=RemoteCopy(sink="siem", max_lag=60, sensitivity="critical"),
        witnesses=(
            Witness(name="acme", url="https://witness.acme.example", key=KEY),
            Witness(name="globex", url="https://witness.globex.example", key=KEY),
        ),
        quorum=2,
        timestamps=TimestampAuthority(
            url="http://tsa.acme.example/", every=86_400, roots="/etc/remit/tsa.pem"
        ),
    )


def test_a_stage_has_its_own_sinks(repository: Repository) -> None:
    repository.append("remit.yaml", "stages: [test]\n")
    repository.write("audit.yaml", "sinks: {siem: {kind: webhook, url: 'https://a.example/'}}\n")
    repository.write("stages/test/audit.yaml", "sinks: {siem: {url: 'https://b.example/'}}\n")
    assert repository.said() == []


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("quorum: 2\n", "1 a quorum that these witnesses cannot make"),
        ("quorum: 0\n", "1 "),
        ("remote_copy: {sink: siem, max_lag: 5s}\n", "1 `remote_copy` names `siem`, which is no"),
        ("redaction: [{path: ssn, treatment: drop}]\n", "1 `ssn` is no JSONPath"),
        ("redaction: [{path: $.a, treatment: show}]\n", "1 `show` is not known here"),
        ("redaction: [{path: $.a, treatment: drop, class: odd}]\n", "1 `odd` is not known here"),
        ("redaction: [{path: $.a}]\n", "1 `treatment` is missing"),
        ("redaction: [{path: $.a, treatment: drop, servers: [cmr]}]\n", "1 unknown server `cmr`"),
        ("redaction: [{path: $.a, treatment: drop, tenants: [x]}]\n", "1 unknown tenant `x`"),
        ("retention: {records: 3600}\n", "1 `3600` is not a length of time"),
        ("retention: {records: 1h}\n", "1 the length of time is out of bounds"),
        ("retention: {kinds: {Grant: 1d}}\n", "1 `Grant` is no kind of event"),
        ("detectors: {on: [pan]}\n", "1 unknown key `on`"),
        ("recipts: true\n", "1 unknown key `recipts`; did you mean `receipts`"),
        ("receipts: 'no'\n", "1 "),
    ],
)
def test_what_cannot_hold_is_refused_where_it_stands(
    repository: Repository, written: str, said: str
) -> None:
    (found,) = repository.write("audit.yaml", written).said()
    assert found.startswith("audit.yaml:1 ")
    assert said.removeprefix("1 ") in found
