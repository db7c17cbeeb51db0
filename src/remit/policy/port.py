"""The ports of policy engines; the decision point is the only caller of either.

An engine in this process answers at once. One in another process is asked over a network, or however its
adapter does it: it may be late, fail, or answer something else, and each of these is a refusal. What it
answers names the question it answers, so that no answer can be taken for that to another.

Source: AuthZEN Authorization API 1.0 §5; docs/guides/policy-engines.md.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar, Protocol

from remit.errors import UnavailableError
from remit.model import ExternalEngine
from remit.policy.decision import Decision, MatchedRule
from remit.policy.evaluation import Evaluation, ResourceFacts
from remit.policy.obligation import Obligation

__all__ = [
    "Answer",
    "Elsewhere",
    "EngineSettings",
    "EngineUnavailableError",
    "ExternalPolicyEngine",
    "OpenEngine",
    "PolicyEngine",
]


class PolicyEngine(Protocol):
    """Decides one evaluation against the policies it holds."""

    @property
    def version(self) -> str:
        """The SHA-256, in hexadecimal, of the policies it holds."""
        ...

    def evaluate(self, evaluation: Evaluation) -> Decision:
        """Decide. May raise anything: the decision point turns that into a refusal.

        A decision that allows names the permits that matched in `rules`. In the
        phase `LIST` a rule that might match, whatever the arguments, counts as matched.
        """
        ...

    def history_read(self, resource: ResourceFacts) -> frozenset[str]:
        """The facts of history that policies about `resource` look at."""
        ...


class EngineUnavailableError(UnavailableError):
    """An engine elsewhere was not reached, was late, or said something that is no answer.

    `detail` is for the operator and goes to the log: neither a secret nor an argument may be in it.
    """

    code: ClassVar[str] = "engine_unavailable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an engine elsewhere says of one question. An answer that allows names no rule that forbids."""

    question: Evaluation
    """The very object that was asked."""
    allowed: bool
    rules: tuple[MatchedRule, ...] = ()
    """Which of its policies decided, where it tells. `message` may be shown to the caller."""
    obligations: tuple[Obligation, ...] = ()


class ExternalPolicyEngine(Protocol):
    """An engine in another process. Used by one event loop, by many questions at a time."""

    @property
    def name(self) -> str:
        """As `remit.yaml` calls it."""
        ...

    @property
    def version(self) -> str | None:
        """Of the policies it holds, where it tells."""
        ...

    async def evaluate_all(self, evaluations: Sequence[Evaluation]) -> Sequence[Answer]:
        """One answer to each, in the order given; asked at once, as far as the other side takes it.

        May raise anything, and may be cancelled at any time: both are refusals. Must not guess: what it
        cannot tell for certain it raises.
        """
        ...

    async def close(self) -> None:
        """Give back every connection. Called once, when nobody waits for an answer any more."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """What an adapter is opened with: its declaration in `remit.yaml`, checked."""

    name: str
    url: str
    timeout: float
    """Seconds in which an answer has to be there; after that nobody listens."""
    options: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    read_secret: Callable[[], str | None] = lambda: None
    """The secret as it is now, to be read for every question; raises when it is not to be had."""


OpenEngine = Callable[[EngineSettings], ExternalPolicyEngine]
"""What an entry point in `remit.policy_engines` names. Opens no connection yet; raises what its options lack."""


class Elsewhere(Protocol):
    """The engines outside this process, as the decision point finds them."""

    def find(self, declared: ExternalEngine) -> ExternalPolicyEngine:
        """The engine that `declared` names.

        Raises:
            EngineUnavailableError: there is none here.
        """
        ...
