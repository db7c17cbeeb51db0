"""Decides whether a subject may, through an agent, do this to that, here and now.

Refuses by default, whenever a policy forbids, and whenever anything goes wrong
while deciding. Policies are Cedar; each is validated against a schema generated
from the catalog before it can be loaded.
"""

from remit.policy.check import check_policies, find_ambiguous_actions
from remit.policy.decision import Decision, DecisionOutcome, DecisionReason, MatchedRule, RuleEffect
from remit.policy.decision_point import DecisionPoint
from remit.policy.engines.cedar import CedarEngine
from remit.policy.evaluation import (
    AgentFacts,
    ArgumentValue,
    Context,
    Evaluation,
    Money,
    Phase,
    ResourceFacts,
    ResourceKind,
    Subject,
    SubjectKind,
    TokenFacts,
)
from remit.policy.port import PolicyEngine
from remit.policy.source import PolicyInvalidError, PolicySource
from remit.policy.vocabulary import Declared, DeclaredServer

__all__ = [
    "AgentFacts",
    "ArgumentValue",
    "CedarEngine",
    "Context",
    "Decision",
    "DecisionOutcome",
    "DecisionPoint",
    "DecisionReason",
    "Declared",
    "DeclaredServer",
    "Evaluation",
    "MatchedRule",
    "Money",
    "Phase",
    "PolicyEngine",
    "PolicyInvalidError",
    "PolicySource",
    "ResourceFacts",
    "ResourceKind",
    "RuleEffect",
    "Subject",
    "SubjectKind",
    "TokenFacts",
    "check_policies",
    "find_ambiguous_actions",
]
