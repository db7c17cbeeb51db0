"""Every kind of problem that a check can find, by its stable code: why it matters, and what to do about it.

The codes stand in SARIF, in `lint:` of `remit.yaml` and in `# remit: ignore[code] reason`: a code that has
been released keeps its meaning. Mistakes cannot be silenced or turned down; remarks can.

Source: MISSION B2, B8; O21 (least privilege); SARIF 2.1.0 §3.49 (reporting descriptors).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

__all__ = ["KINDS", "Kind", "Severity", "lint_codes"]


class Severity(StrEnum):
    """What a remark is worth. `error` makes a check fail, `warning` does with `--strict`."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of problem. `severity` is what it is worth unless `lint:` says otherwise."""

    code: str
    title: str
    why: str
    mend: str
    severity: Severity = Severity.ERROR
    is_mistake: bool = False
    """Whether nothing can be loaded with it; then no file can turn it down."""
    fixable: bool = False
    """Whether `--fix` can mend it, where nothing that is permitted changes by that."""
    absence: bool = False
    """Whether it says that something is nowhere: then it holds only if it holds in every stage."""


def lint_codes() -> frozenset[str]:
    """The codes that may be silenced, and given another severity."""
    return frozenset(code for code, kind in KINDS.items() if not kind.is_mistake)


def _mistake(code: str, title: str, why: str, mend: str) -> Kind:
    return Kind(code=code, title=title, why=why, mend=mend, is_mistake=True)


def _remark(code: str, title: str, why: str, mend: str) -> Kind:
    return Kind(code=code, title=title, why=why, mend=mend, severity=Severity.WARNING)


def _absence(code: str, title: str, why: str, mend: str) -> Kind:
    return Kind(code=code, title=title, why=why, mend=mend, severity=Severity.WARNING, absence=True)


_MISTAKES: Final = (
    _mistake("file", "A file that cannot be read, or would be left out in silence",
             "What is not read does not hold, and whoever wrote it believes that it does.",
             "Move it, rename it, or remove it."),
    _mistake("file-name", "A file whose name cannot name what is in it",
             "The stem of a file is the name of the server, agent or policy in it.",
             "Use lower-case letters, digits and `-`."),
    _mistake("yaml", "Not the YAML that Remit reads",
             "Two readers that understand a file differently decide differently.",
             "Write plain YAML: no anchors, tags, duplicate keys or byte-order mark."),
    _mistake("schema", "A key or a value that does not fit",
             "A key that is misspelt is a limit that does not hold.",
             "Use the keys and values of docs/reference/policy-repository.md."),
    _mistake("general-scope", "A scope that opens everything",
             "Whoever holds it holds everything, and nobody can say afterwards what it was needed for.",
             "Name one operation on one resource, such as `crm:accounts.read`."),
    _mistake("reference", "A name that nothing declares",
             "What refers to nothing grants nothing, or limits nothing.",
             "Declare it, or use a name that is declared."),
    _mistake("reserved-name", "A name that is taken",
             "Names of the management API mean the management API wherever they stand.",
             "Use another name."),
    _mistake("scope-ring", "A scope that covers itself",
             "Scopes that cover one another are one scope with several names.",
             "Let a scope cover only narrower ones."),
    _mistake("ambiguous-scope", "Two scopes that can come to one name",
             "A person whose attribute fills the one with the other's name would hold the other.",
             "Rename one of them, so that nothing that fills a placeholder makes them equal."),
    _mistake("elevated-scope", "An elevated scope that a token would have to say",
             "Nobody would be asked about it, or nothing that needs it could ever be used.",
             "Ask for it in a policy with `@require_scope`, and let only elevated scopes cover it."),
    _mistake("stage", "An overlay or a stage that is not declared",
             "What is laid over a stage that nobody is in never holds.",
             "List the stage under `stages` in remit.yaml, or name a listed one."),
    _mistake("server", "A server's file that cannot hold",
             "What it says would be unsafe, or would never come true.",
             "See what was expected."),
    _mistake("engine", "An engine that cannot be asked",
             "Where no engine can be asked every call is refused.",
             "See what was expected."),
    _mistake("agent", "An agent beyond its limits, or taken for another",
             "An agent's file is the most that it may ever hold.",
             "See what was expected."),
    _mistake("registration", "A rule of registration that cannot hold",
             "A rule that matches strangers lets strangers in; one that matches nobody holds for nobody.",
             "See what was expected."),
    _mistake("delegation", "A delegation that cannot hold",
             "An agent hands on no more than it has.",
             "See what was expected."),
    _mistake("people", "A way to log in that cannot hold",
             "Who gets in by mistake has everything that their roles have.",
             "See what was expected."),
    _mistake("history", "A fact of history that cannot be counted",
             "A limit on what cannot be counted is no limit.",
             "See what was expected."),
    _mistake("trust", "A trust in others that cannot hold",
             "Whose word is taken for a workload decides as if they were Remit.",
             "See what was expected."),
    _mistake("audit", "A rule of the log that cannot hold",
             "What is about nothing keeps nothing out of the log, and sends nothing to anybody.",
             "See what was expected."),
    _mistake("approval", "A rule of approval, or an offer of access, that cannot hold",
             "Who waits for an answer that nobody is asked for waits in vain.",
             "See what was expected."),
    _mistake("policy", "A policy that does not check",
             "Cedar skips a policy that fails while it decides, so none that could is loaded.",
             "Correct the policy; `remit explain` shows what it can read."),
    _mistake("decision-table", "A decision table that cannot be run",
             "A test that does not run proves nothing.",
             "See what was expected."),
    _mistake("consistency", "Files that contradict each other",
             "What contradicts something else holds nowhere.",
             "See what was expected."),
)  # fmt: skip

_REMARKS: Final = (
    _remark("wide-scope", "A scope that covers everything of a system",
            "It is a general-purpose scope under another name: one consent opens all of it.",
            "Give out the scopes that it covers, each where it is needed."),
    _remark("wide-covers", "A scope that covers very many",
            "Nobody who reads its title on the consent page knows all that it opens.",
            "Let it cover fewer, or give out narrower ones."),
    _remark("read-write-scope", "Reading and changing under one scope",
            "Who only looks has to be given the right to change, and a stolen token can do both.",
            "Use one scope for reading and another for changing."),
    _remark("shared-high-risk-scope", "A high-risk operation without a scope of its own",
            "Whoever needs the harmless operation gets the dangerous one with it, and no step-up can tell them apart.",
            "Declare a scope for this operation alone, and let nothing else take it."),
    _remark("excessive-requirement", "A tool that takes a scope much wider than itself",
            "An agent that uses only this tool has to hold far more than that.",
            "Require the narrowest scope that says what the tool does."),
    Kind(code="redundant-requirement", title="Two scopes required where one covers the other",
         why="The narrower one adds nothing and makes every challenge longer.",
         mend="Require the wider one alone.", severity=Severity.WARNING, fixable=True),
    Kind(code="redundant-scope", title="A scope held beside one that covers it",
         why="It looks like a limit and is none: without it the same could be done.",
         mend="Remove the narrower, or rather the wider one.", severity=Severity.WARNING, fixable=True),
    Kind(code="redundant-covers", title="A scope that covers another twice",
         why="What covers what should be read in one place.",
         mend="Remove what is covered by way of another.", severity=Severity.WARNING, fixable=True),
    Kind(code="unused-scope", title="A scope that nothing takes, grants or holds",
         why="A scope that nobody needs is one that somebody will be given.",
         mend="Remove it.", severity=Severity.WARNING, fixable=True, absence=True),
    _absence("idle-scope", "A scope that is given out and opens nothing",
             "People consent to something that does not exist, and whatever takes it later is open at once.",
             "Remove it, or let a tool take it."),
    _absence("unreachable-thing", "A tool, resource or prompt that no agent can reach",
             "Its policy is never tried, and its day comes with a change that nobody looks at.",
             "Remove it, or give an agent what it takes."),
    _absence("unreachable-role", "A role that nobody can reach",
             "No rule gives it and no account can be given it by hand: it only looks like access.",
             "Remove it, or let a rule of roles.yaml or people.yaml give it."),
    _remark("equal-roles", "Two roles with the same scopes",
            "A change to one of them will be forgotten in the other.",
            "Keep one of them."),
    _remark("union-role", "A role that is two others together",
            "People can hold two roles; a third one for both is reviewed three times.",
            "Give both roles to whoever holds it."),
    _remark("similar-roles", "Many roles that differ little",
            "Roles multiply until nobody knows which to give, and gives the widest.",
            "Make one role of what they share, and small ones of the rest."),
    _absence("ungrantable-scope", "An agent holds a scope that no role can give",
             "Nobody who uses the agent can ever grant it, so it waits for a role that is too wide.",
             "Take it from the agent, or give it to the role that should grant it."),
    _absence("idle-agent-scope", "An agent holds a scope that opens nothing within its reach",
             "Least privilege: what it cannot use today it can misuse after a change elsewhere.",
             "Take it from the agent."),
    Kind(code="idle-clearance", title="An agent cleared for more than it can reach",
         why="The clearance is for tools that do not exist yet, and that nobody will ask about.",
         mend="Lower `max_sensitivity` to what it needs.", severity=Severity.NOTE, absence=True),
    _absence("unasked-rule", "A rule of approval that nothing asks for",
             "No policy and no offer wants the word of this role, so whoever wrote the rule believes in a control that is none.",
             "Annotate a policy with `@require_approval`, or remove the rule."),
    _absence("unasked-justification", "Something to be told that nothing asks for",
             "Nobody is ever asked for it.",
             "Annotate a policy with `@require_justification`, or remove it."),
    _absence("unused-notifier", "A notifier that nothing uses",
             "Nobody is told anything by it.",
             "Name it under `notify`, or remove it."),
    _remark("weak-approval", "An approval with a password alone",
            "Whoever learns the password of one approver approves whatever they like.",
            "Ask for `urn:remit:acr:mfa` at least."),
    _remark("unapproved-access", "High-risk access that is given at once",
            "Whoever may ask has it for the asking, and so has whoever speaks for them.",
            "Name an `approver`."),
    _remark("quiet-emergency", "Emergency access of which nobody is told",
            "Breaking the glass has to be heard.",
            "Name a notifier under `notify`."),
    _remark("scope-name", "A scope that is not named `system:resource.operation`",
            "A name that says neither on what nor which operation cannot be consented to.",
            "Name the system, the resource and the operation, such as `crm:accounts.read`."),
    _remark("placeholder-claim", "A placeholder that nothing fills",
            "Where no person has the attribute the scope can be granted to nobody.",
            "Bind `organization_id`, `environment`, `agent_id`, or an attribute that people.yaml or roles.yaml knows."),
    _remark("prefix-mismatch", "A scope for one environment that is taken in another",
            "A scope whose name begins with an environment is good there alone, so nobody can use what takes it here.",
            "Take it on servers of its own environment, or bind `{environment}`."),
    _remark("crossing-covers", "A scope that covers one of another system",
            "Consent to one system opens another, which its owner does not see.",
            "Give out both scopes."),
    _remark("read-covers-write", "A scope for reading that covers changing",
            "Who is asked for a look gives the right to change.",
            "Turn it around, or take it out of `covers`."),
    Kind(code="overlay-unchanged", title="A file of an overlay that changes nothing",
         why="Whoever wrote it believes that the stage differs.",
         mend="Remove it, or write what is different.", severity=Severity.WARNING),
    Kind(code="unordered-list", title="Scopes that are not in order",
         why="In order, a difference between two lists is seen at a glance.",
         mend="Sort them.", severity=Severity.OFF, fixable=True),
    Kind(code="missing-schema", title="A file that does not name its schema",
         why="With it, editors complete and check while one writes.",
         mend="Begin it with the comment that names the schema.", severity=Severity.OFF, fixable=True),
    _remark("bad-ignore", "An exception without a reason, or of no kind",
            "Who reads it next year has to know why it was made.",
            "Write `# remit: ignore[code] reason`."),
    Kind(code="unused-ignore", title="An exception that silences nothing",
         why="What it excused is gone, and the next one would be excused unseen.",
         mend="Remove it.", severity=Severity.WARNING, absence=True),
)  # fmt: skip


def _by_code(kinds: Iterable[Kind]) -> Mapping[str, Kind]:
    return MappingProxyType({kind.code: kind for kind in kinds})


KINDS: Final[Mapping[str, Kind]] = _by_code((*_MISTAKES, *_REMARKS))
"""All of them, by code; mistakes first."""
