"""Rules, compiled to Cedar: one policy each, named `rules/<file>#<rule>`, on the line where the rule stands.

So whatever reads policies reads rules: the check reports a mistake at the line of the rule, an explanation
names it, a decision does. Every rule is a `forbid` about calls; what nobody permits is refused with or without it.
One that names no server is about every server that the repository declares, and not about Remit's own management.

Source: docs/guides/rules.md; Cedar policy grammar.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from remit.documents import Document
from remit.documents.document import Node
from remit.documents.problem import Problem
from remit.model import MANAGEMENT, Mode, Operation
from remit.policy import PolicySource
from remit.repository.rules_file import (
    AmountLimit,
    BusinessHours,
    NoExportOutside,
    OwnOrganization,
    Region,
    RequireJustification,
    RuleSection,
    SeparationOfDuties,
    TrustedNetworks,
)
from remit.repository.section import Section

__all__ = ["cedar_of", "compiled", "placed", "rule_id"]

_DAYS = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday",
    "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip


def rule_id(file: str, name: str) -> str:
    """The `@id` of the policy that a rule becomes; `file` is the stem of its file."""
    return f"rules/{file}#{name}"


def compiled(stem: str, document: Document, rules: Mapping[str, RuleSection]) -> PolicySource:
    """The policies of one file, each on the line on which its rule begins."""
    lines: dict[int, list[str]] = {}
    for name, rule in rules.items():
        node = document.root.children.get(name)
        key = None if node is None else node.key
        lines.setdefault(1 if key is None else key.line, []).append(
            cedar_of(rule_id(stem, name), rule).replace("\n", " ")
        )
    last = max(lines, default=0)
    text = "\n".join(" ".join(lines.get(number, ())) for number in range(1, last + 1))
    return PolicySource(text + "\n", document.file)


def placed(problem: Problem, document: Document) -> Problem:
    """A problem of a compiled policy, at what its rule says about it, or else at the rule's name."""
    rules = (one for one in document.root.children.values() if one.key is not None)
    for node in rules:
        if node.key is not None and node.key.line == problem.line:
            words = problem.message.split("`")[1::2]
            position = next(
                (one.position for one in _texts(node) if _is_meant(str(one.value), words)),
                node.key,
            )
            return document.problem_at(position, problem.message, expected=problem.expected)
    return problem


def cedar_of(identifier: str, rule: RuleSection) -> str:
    """The policy that a rule becomes, as one would write it."""
    template = rule.template
    annotations = [f"@id({_text(identifier)})", f"@refusal({_text(_message(rule, template))})"]
    if rule.mode is Mode.OBSERVE:
        annotations.append('@mode("observe")')
    if isinstance(template, RequireJustification):
        annotations.append(f"@require_justification({_text(template.what)})")
    operations = rule.operations or _operations(template)
    clauses = []
    if not rule.things and not rule.servers:
        # Who administers Remit would be shut out by a rule that was meant for the servers behind it.
        clauses.append(f"when {{ resource.server != {_text(MANAGEMENT.name)} }}")
    if operations and (rule.things or rule.servers):
        clauses.append(f"when {{ {_among('resource.operation', operations)} }}")
    clauses += _clauses(template)
    if rule.except_roles:
        clauses.append(f"unless {{ principal.roles.containsAny({_list(rule.except_roles)}) }}")
    head = f"forbid (principal, action in {_actions(rule, operations)}, resource)"
    return "\n".join([*annotations, head, *clauses]) + ";"


def _actions(rule: RuleSection, operations: Sequence[Operation]) -> str:
    if rule.things:
        names: Sequence[str] = rule.things
    elif rule.servers:
        names = [f"server/{one}" for one in rule.servers]
    else:
        names = [one.value for one in operations] or ["call"]
    actions = ", ".join(f"Remit::Action::{_text(name)}" for name in names)
    return f"[{actions}]" if len(names) > 1 else actions


def _operations(template: Section) -> tuple[Operation, ...]:
    """What a template is about when the rule does not say."""
    if isinstance(template, NoExportOutside):
        return (Operation.EXPORT, Operation.READ) if template.reads else (Operation.EXPORT,)
    return ()


def _clauses(template: Section) -> Iterator[str]:
    match template:
        case BusinessHours():
            yield f"unless {{ {_within(template)} }}"
        case TrustedNetworks():
            yield f"unless {{ {_from_networks(template.networks)} }}"
        case OwnOrganization():
            yield f"unless {{ {_own(template)} }}"
        case AmountLimit():
            yield f"when {{ {_beyond(template)} }}"
        case Region():
            regions = _among("resource.region", template.regions)
            yield f"unless {{ resource has region && {regions} }}"
        case RequireJustification():
            return
        case SeparationOfDuties():
            yield f"when {{ {_both(template)} }}"
        case NoExportOutside():
            categories, read = _list(template.data_categories), "resource.data_categories"
            if template.history is not None:
                read = f"context.history.{template.history}"
            yield f"when {{ {read}.containsAny({categories}) }}"
            if template.networks:
                yield f"unless {{ {_from_networks(template.networks)} }}"
        case _:
            raise TypeError(f"{type(template).__name__} is no template")


def _within(hours: BusinessHours) -> str:
    days = _among("context.time.weekday", hours.days)
    if hours.since % 60 == hours.until % 60 == 0:
        clock, since, until = "context.time.hour", hours.since // 60, hours.until // 60
    else:
        clock = "context.time.hour * 60 + context.time.minute"
        since, until = hours.since, hours.until
    return f"{days} && {clock} >= {since} && {clock} < {until}"


def _own(template: OwnOrganization) -> str:
    if template.argument is None:
        own = "resource has tenant && resource.tenant == principal.tenant"
    else:
        name = template.argument
        own = f"context.arguments has {name} && context.arguments.{name} == principal.tenant"
    if template.max_sensitivity is None:
        return own
    return f"{own} && resource.sensitivity_rank <= {template.max_sensitivity.rank}"


def _beyond(limit: AmountLimit) -> str:
    most = f'decimal("{_decimal(limit.at_most)}")'
    if limit.history is not None:
        return f"context.history.{limit.history}.greaterThan({most})"
    name = f"context.arguments.{limit.argument}"
    if limit.currency is None:
        return f"context.arguments has {limit.argument} && {name}.greaterThan({most})"
    foreign = f"{name}.currency != {_text(limit.currency)}"
    return (
        f"context.arguments has {limit.argument} && ({foreign} || {name}.value.greaterThan({most}))"
    )


def _both(template: SeparationOfDuties) -> str:
    conditions = []
    if template.roles is not None:
        conditions.append(f"principal.roles.containsAll({_list(template.roles)})")
    if template.history is not None:
        after = _list(template.after or ())
        conditions.append(f"context.history.{template.history}.containsAny({after})")
    return " || ".join(conditions)


def _message(rule: RuleSection, template: Section) -> str:
    """What the caller is told."""
    if rule.message is not None:
        return rule.message
    match template:
        case BusinessHours():
            days = ", ".join(_DAYS[one] for one in template.days)
            return f"This is possible from {_clock(template.since)} until {_clock(template.until)}, {days}."
        case TrustedNetworks():
            return "This is not possible from where you are."
        case OwnOrganization():
            return "This belongs to another organisation."
        case AmountLimit():
            return "This is more than may be done without somebody else."
        case Region():
            return "This is not kept in a region where you may use it."
        case RequireJustification():
            return "This is only done for a reason."
        case SeparationOfDuties():
            return "Somebody else has to do this part."
        case NoExportOutside():
            return "Data of this kind does not go out."
        case _:
            raise TypeError(f"{type(template).__name__} is no template")


def _from_networks(networks: Sequence[str]) -> str:
    return f"context.networks.containsAny({_list(networks)})"


def _among(path: str, values: Sequence[str]) -> str:
    return f"{_list(values)}.contains({path})"


def _list(values: Sequence[str]) -> str:
    return f"[{', '.join(_text(one) for one in values)}]"


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _decimal(value: Decimal) -> str:
    return f"{value.quantize(Decimal('0.0001')):f}"


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def _is_meant(text: str, words: Sequence[str]) -> bool:
    """Whether a message speaks of `text`: as it is, or as the action that it names."""
    return any(one == text or one.endswith((f'"{text}"', f'/{text}"')) for one in words)


def _texts(node: Node) -> Iterator[Node]:
    """Every text below `node`."""
    for child in node.children.values():
        if isinstance(child.value, str):
            yield child
        yield from _texts(child)
