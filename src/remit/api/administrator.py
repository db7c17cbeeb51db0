"""Who asks, and how far their word reaches.

At the socket: whoever may open it, known by the user id that the kernel gives, for every
organisation. Over HTTP: who the access token says, for the organisation of the token;
for every one only with `remit:tenants.cross`.

Refused: what belongs to another organisation, as if it did not exist; a change that reaches
beyond one's own organisation; to give, or take over, an account that may administer more
than one may oneself. Without the last, `remit:users.write` would be every scope at once.

Source: docs/adr/0004-management-over-a-unix-socket.md; docs/adr/0010-management-api.md.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import ClassVar

from remit.audit.context import Context
from remit.errors import Error
from remit.identity import User, subject_of
from remit.ids import ScopeName, TenantId
from remit.model import MANAGEMENT_SCOPES, Agent, Catalog
from remit.tokens import AccessToken

__all__ = ["Administrator", "ForbiddenError", "require_authority_over", "require_within"]


class ForbiddenError(Error):
    """What this administrator may not do, whatever token they bring; `detail` says why."""

    code: ClassVar[str] = "forbidden"


def _everything(_scope: ScopeName) -> bool:
    return True


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Who asks. `tenant` is `None` for all organisations; `still_good` is asked while an answer goes on."""

    context: Context
    tenant: TenantId | None = None
    holds: Callable[[ScopeName], bool] = _everything
    still_good: Callable[[], bool] = _always
    token: AccessToken | None = None
    """What they showed, verified: whose it is and how they logged in; `None` at the socket."""

    def sees(self, tenant: str) -> bool:
        """Whether what belongs to `tenant` exists for them."""
        return self.tenant is None or self.tenant == tenant

    def sees_agent(self, agent: Agent) -> bool:
        """Whether the agent acts in an organisation of theirs."""
        return self.tenant is None or self.tenant in agent.tenants

    def require_agent(self, agent: Agent) -> None:
        """Pass when the agent acts in no organisation but theirs.

        Raises:
            ForbiddenError: to change it would change what is another's.
        """
        if self.tenant is not None and set(agent.tenants) != {self.tenant}:
            raise ForbiddenError("the agent acts in other organisations, too")

    def narrowed(self, tenant: str | None) -> TenantId | None:
        """The organisation to look in when `tenant` is asked for; `None`: all.

        Raises:
            ForbiddenError: it is another one than theirs.
        """
        if tenant is None:
            return self.tenant
        if not self.sees(tenant):
            raise ForbiddenError("this is another organisation than yours")
        return TenantId(tenant)


def require_within(by: Administrator, roles: Iterable[str], catalog: Catalog) -> None:
    """Pass when none of `roles` brings a management scope that `by` does not hold.

    Raises:
        ForbiddenError: one does.
    """
    for name in roles:
        role = catalog.roles.get(name)
        for scope in () if role is None else role.scopes:
            brings = {scope} | catalog.hierarchy.get(scope, frozenset())
            if any(one in MANAGEMENT_SCOPES and not by.holds(one) for one in brings):
                raise ForbiddenError(f"the role `{name}` may administer more than you may")


def require_authority_over(by: Administrator, user: User, catalog: Catalog) -> None:
    """Pass when `user` may administer no more than `by`.

    Raises:
        ForbiddenError: otherwise whoever resets a password would have its owner's rights.
    """
    require_within(by, subject_of(user, catalog).roles, catalog)
