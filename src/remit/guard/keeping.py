"""What the record of a call keeps of what was said in it: openly, as tokens, sealed, or not at all.

Arguments of nobody are not kept at all. What is sealed is what policies may have read and the record does not show, and what
rules want sealed; where both are too much, the latter is left out. It is sealed for whoever the call was made for: the
person, or else the agent.

Source: AUDIT §1.6; docs/guides/redaction.md.
"""

from typing import Final

from remit.audit.redact import Redaction
from remit.guard.call import Call
from remit.guard.limits import is_workload
from remit.guard.ports import Directory, Redactor
from remit.guard.records import Finding
from remit.guard.redaction import Rulings, kept_justification
from remit.guard.withheld import unsaid_by, withheld
from remit.model import AuditTreatment
from remit.tokens.access_token import AccessToken

__all__ = ["NOTHING_KEPT", "Keeping", "subject_of"]

NOTHING_KEPT: Final = Redaction(input={}, digest=None)
_NONE: Final[frozenset[str]] = frozenset()


class Keeping:
    """Decides it, by the catalog that decided the call. For one thread."""

    __slots__ = ("_directory", "_redactor", "_rulings")

    def __init__(self, redactor: Redactor, directory: Directory) -> None:
        self._redactor = redactor
        self._directory = directory
        self._rulings = Rulings()

    def arguments(self, call: Call, finding: Finding, decision_id: str) -> Redaction:
        """What may be kept of the arguments, openly and sealed."""
        token = finding.token
        if token is None:
            return NOTHING_KEPT
        unsaid = _NONE
        if finding.decision is not None and finding.decision.obligations:
            unsaid = unsaid_by(finding.decision)
        tenant, target = token.organization_id, finding.target
        catalog = self._directory.catalog if finding.world is None else finding.world.catalog
        ruling = self._rulings.of(
            catalog,
            self._directory.definitions.schemas,
            target,
            server=call.server if call.server in catalog.servers else None,
            tenant=tenant,
            unsaid=unsaid,
        )
        redaction = self._redactor.redact(call.arguments, tenant=tenant, ruling=ruling)
        content = withheld(
            call,
            token,
            () if target is None else target.arguments,
            unsaid=unsaid,
            redaction=redaction,
        )
        if content is None:
            return redaction
        said = finding.known
        subject = subject_of(token) if said is None else said.user_id or token.agent_id
        sealed = self._redactor.seal(content, decision=decision_id, tenant=tenant, subject=subject)
        if sealed is None:
            return redaction
        return Redaction(redaction.input, redaction.digest, sealed)

    def justification(self, call: Call, finding: Finding) -> str | None:
        """What may be kept of why the call was made."""
        if call.justification is None or finding.token is None:
            return None
        catalog = self._directory.catalog if finding.world is None else finding.world.catalog
        server = catalog.server_named(call.server)
        return kept_justification(
            call.justification,
            self._redactor,
            tenant=finding.token.organization_id,
            in_full=server is not None and server.justification is AuditTreatment.KEEP,
            off=catalog.audit.detectors_off,
        )


def subject_of(token: AccessToken) -> str:
    """Whom a call is about, as its record names them: the person, or the agent that acts for nobody."""
    return token.agent_id if is_workload(token) else token.sub
