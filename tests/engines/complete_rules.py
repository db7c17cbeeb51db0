"""The rules of the complete example as a decision point that speaks AuthZEN has them; as a process it is `pdp.py PORT '' complete`.

Below `/without/ID` the rule of that name does not hold, so that a test can see whether anything notices.
"""

WORKDAYS = ("mon", "tue", "wed", "thu", "fri")
CHANGES = ("write", "delete", "export", "execute", "admin", "impersonate")


def decide(question, without=None):
    broken = [
        name for name, is_broken in RULES.items() if name != without and is_broken(Asked(question))
    ]
    permitted = without != "call-what-the-scopes-allow"
    return {"decision": permitted and not broken, "context": {"policies": broken}}


class Asked:
    def __init__(self, question):
        self.subject = question["subject"]
        self.who = self.subject["properties"]
        self.what = question["resource"]["properties"]
        self.name = question["resource"]["id"]
        self.context = question["context"]
        self.arguments = question["action"].get("properties", {}).get("arguments")

    def is_about(self, server, *names):
        return self.what["server"] == server and self.name in names

    def in_office_hours(self):
        time = self.context["time"]
        return time["weekday"] in WORKDAYS and 9 <= time["hour"] < 17

    def from_the_office(self):
        return self.context.get("ip", "").startswith("10.20.")


def own_organisation(one):
    tenant = one.who["tenant"]
    given = one.arguments or {}
    return one.what["server"] == "crm" and given.get("organization_id", tenant) != tenant


def own_accounts(one):
    if not one.is_about("crm", "crm://accounts/{account_id}") or one.arguments is None:
        return False
    own = {"acme": "crm://accounts/acc-1", "globex": "crm://accounts/acc-2"}[one.who["tenant"]]
    return not one.arguments["uri"].startswith(own)


def writes(one):
    if not one.is_about("reports", "add_note", "release") or one.arguments is None:
        return False
    own = one.arguments["organization_id"] == one.who["tenant"]
    return not (own and (one.what["sensitivity"] == "low" or "controller" in one.who["roles"]))


def consent(one):
    if not one.is_about("health", "read_record") or one.arguments is None:
        return False
    given = one.arguments.get("patient_consent_id", "")
    return not given and "emergency-physician" not in one.who["roles"]


RULES = {
    "records-need-consent": consent,
    "deletions-in-business-hours": lambda one: (
        one.what["operation"] == "delete"
        and not one.in_office_hours()
        and not one.from_the_office()
    ),
    "people-data-stays-in-the-house": lambda one: (
        one.what["environment"] == "prod"
        and "people" in one.what["data_categories"]
        and "corporate" not in one.context["networks"]
    ),
    "production-rests-before-the-weekend": lambda one: (
        one.what["operation"] == "execute"
        and one.what["environment"] == "prod"
        and one.context["time"]["weekday"] in ("fri", "sat", "sun")
    ),
    "incidents-order-no-roll-out": lambda one: (
        one.is_about("rollout-prod", "deploy")
        and one.context.get("told", {}).get("ticket", "").startswith("INC-")
    ),
    "refund-ceiling": lambda one: (
        one.is_about("payments", "refund")
        and one.arguments is not None
        and one.arguments["amount"]["value"] > 50_000
    ),
    "own-organisation": own_organisation,
    "own-accounts": own_accounts,
    "workloads-only-read": lambda one: (
        one.subject["type"] == "agent"
        and one.what["operation"] in CHANGES
        and one.what["environment"] == "prod"
    ),
    "autonomous-agents-stay-below-critical": lambda one: (
        one.context["agent"]["class"] == "autonomous" and one.what["sensitivity_rank"] >= 3
    ),
    "writes-are-own-and-harmless": writes,
    "rules/office#payroll-in-office-hours": lambda one: (
        one.is_about("people", "export_payroll") and not one.in_office_hours()
    ),
}
