"""What the log would keep of a call, and why: by the catalog in force, the admitted schema, the rules and the detectors.

Nothing is called, decided or recorded. The tokens shown are of no key that the log uses: whoever may ask this must not be
able to try out which value is behind a token.
"""

import os
from typing import Any, Final

from pydantic import Field

from remit.api.deps import ApiDeps
from remit.api.operation import AnyOperation, Asked, Nothing, Operation, Shape, Text
from remit.api.problems import BadRequestError
from remit.audit.redact import MAX_LEAVES, Note, Redactor
from remit.errors import NotFoundError
from remit.guard.facts import value_at
from remit.guard.redaction import Rulings, kept_justification
from remit.guard.target import Target, find_target
from remit.ids import ServerName, TenantId
from remit.model import AuditTreatment, Catalog, Server
from remit.policy import ResourceKind

__all__ = ["PREVIEW_OPERATIONS"]


class Previewed(Shape):
    """A call of a tool, as a client would send it."""

    server: Text
    tool: Text
    tenant: Text | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    justification: Text | None = None


class KeptValue(Shape):
    """One value: how it is treated, who said so, and what was found in it."""

    pointer: str
    treatment: str
    sort: str | None
    why: str
    found: list[str]


class Kept(Shape):
    """What the record of the call would have. `sealed` are places whose values it would hold sealed."""

    tenant: str
    input: dict[str, Any]
    values: list[KeptValue]
    sealed: list[str]
    justification: str | None


async def _preview(deps: ApiDeps, asked: Asked[Nothing, Previewed]) -> Kept:
    body, catalog = asked.body, deps.directory.catalog
    tenant = _tenant(catalog, asked.by.narrowed(body.tenant))
    server = catalog.server_named(ServerName(body.server))
    if server is None or server.tenant not in {None, tenant}:
        raise NotFoundError(f"there is no server `{body.server}`")
    target = find_target(server, ResourceKind.TOOL, body.tool)
    if target is None:
        raise NotFoundError(f"there is no tool `{body.tool}` on it")
    # Of no use for anything but this answer.
    redactor = Redactor(os.urandom(32))
    notes: list[Note] = []
    ruling = Rulings().of(
        catalog, deps.directory.definitions.schemas, target, server=server.name, tenant=tenant
    )
    redaction = redactor.redact(body.arguments, tenant=tenant, ruling=ruling, notes=notes)
    sealed = {*redaction.sealing, *_read_by_policies(target, body.arguments, redaction.dropped)}
    return Kept(
        tenant=tenant,
        input=redaction.input,
        values=[_value(note) for note in notes[:MAX_LEAVES]],
        sealed=sorted(sealed),
        justification=_justification(catalog, server, redactor, body.justification),
    )


def _tenant(catalog: Catalog, tenant: TenantId | None) -> TenantId:
    if tenant is None and len(catalog.tenants) == 1:
        (tenant,) = catalog.tenants
    if tenant is None:
        raise BadRequestError("say in which organisation: `tenant`")
    if tenant not in catalog.tenants:
        raise NotFoundError("there is no such organisation")
    return tenant


def _read_by_policies(
    target: Target, arguments: dict[str, Any], dropped: tuple[str, ...]
) -> list[str]:
    """The declared arguments that are there and that the record does not show: policies may read them."""
    return [
        one.pointer
        for one in target.arguments
        if one.audit not in {AuditTreatment.KEEP, AuditTreatment.DROP}
        and not any(one.pointer == gone or one.pointer.startswith(f"{gone}/") for gone in dropped)
        and value_at(arguments, one.pointer) is not None
    ]


def _justification(
    catalog: Catalog, server: Server, redactor: Redactor, text: str | None
) -> str | None:
    return kept_justification(
        text,
        redactor,
        tenant=TenantId("preview"),
        in_full=server.justification is AuditTreatment.KEEP,
        off=catalog.audit.detectors_off,
    )


def _value(note: Note) -> KeptValue:
    return KeptValue(
        pointer=note.pointer,
        treatment=note.treatment.value,
        sort=None if note.classification is None else note.classification.value,
        why=note.why,
        found=list(note.found),
    )


PREVIEW_OPERATIONS: Final[tuple[AnyOperation, ...]] = (
    Operation(name="audit.preview", run=_preview, query=Nothing, body=Previewed, answer=Kept),
)
