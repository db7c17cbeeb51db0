"""What a guard inside a server sealed, sealed anew under the key of whom it is about.

A guard seals under one key for its server, which it needs no database for. In Remit's own log everything about somebody is under
keys of theirs, so that destroying these leaves nothing behind. What does not open stays as it came.
"""

from dataclasses import replace

from remit.audit.call_events import Decided
from remit.audit.record_seal import RecordSeal, RecordSealBrokenError
from remit.audit.relayed import Relayed

__all__ = ["resealed"]


def resealed(relayed: Relayed, seal: RecordSeal | None, *, server: str) -> Relayed:
    """`relayed`, which came from a guard inside `server`, as the log is to have it."""
    event = relayed.event
    if seal is None or seal.writers is None or not isinstance(event, Decided):
        return relayed
    context = event.context
    subject = context.user_id or context.agent_id
    if event.sealed_arguments is None or context.tenant is None or subject is None:
        return relayed
    decision, tenant = event.decision_id, context.tenant
    try:
        content = seal.for_server(server).open(
            event.sealed_arguments, decision=decision, tenant=tenant
        )
    except RecordSealBrokenError:
        return relayed
    anew = seal.seal(content, decision=decision, tenant=tenant, subject=subject)
    return Relayed(relayed.sequence, replace(event, sealed_arguments=anew))
