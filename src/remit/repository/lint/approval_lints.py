"""What is worth a second look in `approvals.yaml`: what nothing asks for, what is given too easily, what nobody hears of."""

from collections.abc import Iterator, Sequence

from remit.documents import ANY, quoted
from remit.model import ACR_PASSWORD, Sensitivity
from remit.model.justification import REASON
from remit.repository.draft import strings_at
from remit.repository.lint.inventory import Inventory
from remit.repository.lint.noticed import Noticed

__all__ = ["approval_lints"]

_HIGH = frozenset({Sensitivity.HIGH, Sensitivity.CRITICAL})


def approval_lints(inventory: Inventory, policies: Sequence[str]) -> Iterator[Noticed]:
    """Everything about approvals, access and who is told. `policies` are the texts of them all."""
    yield from _unasked_rules(inventory, policies)
    yield from _unasked_justifications(inventory, policies)
    yield from _unused_notifiers(inventory)
    yield from _weak(inventory)
    yield from _unapproved(inventory)
    yield from _quiet(inventory)


def _unasked_rules(inventory: Inventory, policies: Sequence[str]) -> Iterator[Noticed]:
    document = inventory.draft.approvals
    asked = {text for _, text in strings_at(document, ("access", ANY, "approver"))}
    for path, role in strings_at(document, ("rules", ANY, "role")):
        # An annotation may be written in many ways; the role stands in it as it is.
        if document is not None and role not in asked and not _is_said(role, policies):
            message = f"nothing asks for the approval of {quoted(role)}"
            yield Noticed.of("unasked-rule", document.problem(path, message))


def _unasked_justifications(inventory: Inventory, policies: Sequence[str]) -> Iterator[Noticed]:
    document = inventory.draft.approvals
    if document is None:
        return
    asked = {
        text
        for kind in ("access", "emergency")
        for _, text in strings_at(document, (kind, ANY, "justification", ANY))
    }
    for rules in inventory.draft.rules.values():
        asked |= {text for _, text in strings_at(rules, (ANY, "require_justification", "what"))}
    for path, _ in document.find(("justifications", ANY)):
        name = str(path[-1])
        if name != REASON and name not in asked and not any(name in text for text in policies):
            message = f"nothing asks for {quoted(name)}"
            found = document.problem(path, message, at_key=True)
            yield Noticed.of("unasked-justification", found)


def _unused_notifiers(inventory: Inventory) -> Iterator[Noticed]:
    document = inventory.draft.approvals
    if document is None:
        return
    used = {
        text
        for kind in ("rules", "emergency")
        for _, text in strings_at(document, (kind, ANY, "notify", ANY))
    }
    for path, _ in document.find(("notifiers", ANY)):
        if path[-1] not in used:
            message = f"nothing is told to {quoted(str(path[-1]))}"
            found = document.problem(path, message, at_key=True)
            yield Noticed.of("unused-notifier", found)


def _weak(inventory: Inventory) -> Iterator[Noticed]:
    document = inventory.draft.approvals
    for path, acr in strings_at(document, ("rules", ANY, "acr")):
        if document is not None and acr == ACR_PASSWORD:
            message = "a password alone is enough here"
            yield Noticed.of("weak-approval", document.problem(path, message))


def _unapproved(inventory: Inventory) -> Iterator[Noticed]:
    document = inventory.draft.approvals
    if document is None:
        return
    of_role = {role.name: role.scopes for role in inventory.roles}
    for path, _ in document.find(("access", ANY)):
        if document.nearest((*path, "approver"))[1]:
            continue
        scopes = {text for _, text in strings_at(document, (*path, "scopes", ANY))}
        for _, role in strings_at(document, (*path, "role")):
            scopes |= set(of_role.get(role, ()))
        opened = scopes.union(*(inventory.below(one) for one in scopes))
        risky = sorted(
            one
            for one in opened
            if one in inventory.scopes and inventory.scopes[one].sensitivity in _HIGH
        )
        if risky:
            message = f"{quoted(risky[0])} is given to whoever may ask, at once"
            found = document.problem(path, message, at_key=True)
            yield Noticed.of("unapproved-access", found)


def _quiet(inventory: Inventory) -> Iterator[Noticed]:
    document = inventory.draft.approvals
    if document is None:
        return
    for path, _ in document.find(("emergency", ANY)):
        if not any(strings_at(document, (*path, "notify", ANY))):
            message = f"nobody is told when {quoted(str(path[-1]))} is used"
            yield Noticed.of("quiet-emergency", document.problem(path, message, at_key=True))


def _is_said(role: str, policies: Sequence[str]) -> bool:
    asking = ("require_approval", "elevation")
    return any(f'"{role}"' in text and any(one in text for one in asking) for text in policies)
