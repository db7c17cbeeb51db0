"""The rules of the complete example as Cerbos has them: of every server the same, and a version without each of them."""

import json
import re

SERVERS = (
    "crm", "health", "mail", "payments", "people", "reports", "rollout-dev", "rollout-prod",
)  # fmt: skip
_HOURS = (
    'R.attr.context.time.weekday in ["mon", "tue", "wed", "thu", "fri"]'
    " && R.attr.context.time.hour >= 9.0 && R.attr.context.time.hour < 17.0"
)
_CHANGES = '["write", "delete", "export", "execute", "admin", "impersonate"]'
_KNOWN = "has(R.attr.arguments)"
DENIED = {
    "records-need-consent": 'R.attr.server == "health" && R.attr.name == "read_record" && '
    f'{_KNOWN} && !((has(R.attr.arguments.patient_consent_id) && R.attr.arguments.patient_consent_id != "")'
    ' || "emergency-physician" in P.roles)',
    "deletions-in-business-hours": f'R.attr.operation == "delete" && !({_HOURS}) && '
    '!(has(R.attr.context.ip) && R.attr.context.ip.inIPAddrRange("10.20.0.0/16"))',
    "people-data-stays-in-the-house": 'R.attr.environment == "prod" && "people" in R.attr.data_categories'
    ' && !("corporate" in R.attr.context.networks)',
    "production-rests-before-the-weekend": 'R.attr.operation == "execute" && R.attr.environment == "prod"'
    ' && R.attr.context.time.weekday in ["fri", "sat", "sun"]',
    "incidents-order-no-roll-out": 'R.attr.server == "rollout-prod" && R.attr.name == "deploy"'
    " && has(R.attr.context.told) && has(R.attr.context.told.ticket)"
    ' && R.attr.context.told.ticket.startsWith("INC-")',
    "refund-ceiling": 'R.attr.server == "payments" && R.attr.name == "refund" && '
    f"{_KNOWN} && R.attr.arguments.amount.value > 50000.0",
    "own-organisation": f'R.attr.server == "crm" && {_KNOWN} && has(R.attr.arguments.organization_id)'
    " && R.attr.arguments.organization_id != P.attr.tenant",
    "own-accounts": f'R.attr.server == "crm" && R.attr.name == "crm://accounts/{{account_id}}" && {_KNOWN}'
    ' && !(P.attr.tenant == "acme" && R.attr.arguments.uri.startsWith("crm://accounts/acc-1"))'
    ' && !(P.attr.tenant == "globex" && R.attr.arguments.uri.startsWith("crm://accounts/acc-2"))',
    "workloads-only-read": f'P.attr.kind == "workload" && R.attr.operation in {_CHANGES}'
    ' && R.attr.environment == "prod"',
    "autonomous-agents-stay-below-critical": 'P.attr.agent["class"] == "autonomous"'
    " && R.attr.sensitivity_rank >= 3.0",
    "writes-are-own-and-harmless": 'R.attr.server == "reports" && R.attr.name in ["add_note", "release"]'
    f" && {_KNOWN} && !(R.attr.arguments.organization_id == P.attr.tenant"
    ' && (R.attr.sensitivity == "low" || "controller" in P.roles))',
    "rules/office#payroll-in-office-hours": 'R.attr.server == "people" && R.attr.name == "export_payroll"'
    f" && !({_HOURS})",
}
ALLOWED = "call-what-the-scopes-allow"


def version_without(rule):
    return "default" if rule is None else f"without_{re.sub('[^a-z]', '_', rule)}"


def write_policies(folder):
    """JSON is YAML: one file for each server and each version."""
    folder.mkdir()
    for without in (None, ALLOWED, *DENIED):
        rules = [
            {"name": _name(rule), "actions": ["*"], "effect": "EFFECT_DENY", "roles": ["*"],
             "condition": {"match": {"expr": expression}}}
            for rule, expression in DENIED.items() if rule != without
        ]  # fmt: skip
        if without != ALLOWED:
            rules.append({"actions": ["*"], "effect": "EFFECT_ALLOW", "roles": ["*"]})
        for server in SERVERS:
            version = version_without(without)
            policy = {
                "apiVersion": "api.cerbos.dev/v1",
                "resourcePolicy": {"resource": server, "version": version, "rules": rules},
            }
            (folder / f"{server}-{version}.yaml").write_text(json.dumps(policy))
    return folder


def _name(rule):
    return re.sub("[^a-z-]", "-", rule)
