"""The people who are alike to every policy: asked about once, however many they are.

They are those with accounts, by organisation, roles and attributes; one by one where a policy names
persons. Roles that nobody has, and those that attributes bring, stand beside them, so that
a repository can be asked about before anybody has an account.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from remit.identity import User, subject_of
from remit.ids import TenantId
from remit.model import Catalog, Server
from remit.policy import Subject, SubjectKind
from remit.policy.check import CheckedPolicy
from remit.policy.facts import PRINCIPAL
from remit.policy.reads import reads_of
from remit.scopes import covers

__all__ = [
    "Cohort",
    "cohort_of",
    "cohorts_of",
    "names_persons",
    "role_cohorts",
    "roles_within",
    "somebody",
]

SOMEBODY: Final = "usr_somebody"
_PERSON: Final = frozenset({PRINCIPAL, ("principal", "id")})


@dataclass(frozen=True, slots=True, kw_only=True)
class Cohort:
    """`names` are the accounts; empty for roles that were only asked about."""

    subject: Subject
    names: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def tenant(self) -> TenantId:
        return self.subject.tenant


def names_persons(policies: Iterable[CheckedPolicy]) -> bool:
    """Whether any policy tells one person from another with the same roles and attributes."""
    return any(_PERSON & reads_of(one.tree).facts for one in policies)


def cohorts_of(users: Iterable[User], catalog: Catalog, *, one_by_one: bool) -> list[Cohort]:
    """The accounts that may act, those that are alike together."""
    found: dict[object, Cohort] = {}
    for user in users:
        if user.disabled_at is not None or user.tenant not in catalog.tenants:
            continue
        subject = subject_of(user, catalog)
        alike = (subject.tenant, frozenset(subject.roles), frozenset(user.attributes.items()))
        name = user.id if one_by_one else alike
        known = found.get(name)
        if known is None:
            found[name] = cohort_of(subject, user.username)
        else:
            found[name] = replace(known, names=(*known.names, user.username))
    return list(found.values())


def cohort_of(subject: Subject, *names: str) -> Cohort:
    """Those who are as `subject` is."""
    return Cohort(subject=subject, names=names, attributes=subject.attributes)


def roles_within(catalog: Catalog, servers: Iterable[Server]) -> list[str]:
    """The roles that bring anything on one of `servers`: others are of people who have nothing to do with them."""
    wanted = {scope for server in servers for scope in server.scopes}
    return [
        name
        for name, role in catalog.roles.items()
        if any(covers(held, one, catalog.hierarchy) for held in role.scopes for one in wanted)
    ]


def role_cohorts(
    catalog: Catalog,
    tenants: Iterable[TenantId],
    *,
    roles: Sequence[str],
    besides: Sequence[Cohort] = (),
) -> Iterator[Cohort]:
    """Somebody with each of `roles`, and with what brings them, unless an account of `besides` is so."""
    there = {(one.tenant, frozenset(one.subject.roles)) for one in besides}
    for tenant in tenants:
        brought = [(rule.roles, rule.attributes) for rule in catalog.attribute_rules]
        wanted: list[tuple[tuple[str, ...], Mapping[str, str]]] = [
            *(((name,), {}) for name in roles),
            *(one for one in brought if set(one[0]) <= set(roles)),
        ]
        for names, attributes in wanted:
            name = (tenant, frozenset(names))
            if name not in there:
                there.add(name)
                yield cohort_of(somebody(tenant, names, attributes))


def somebody(
    tenant: TenantId, roles: Sequence[str], attributes: Mapping[str, str] | None = None
) -> Subject:
    """A person of `tenant` who holds `roles` and has no account."""
    return Subject(
        kind=SubjectKind.USER,
        id=SOMEBODY,
        tenant=tenant,
        roles=tuple(roles),
        attributes=MappingProxyType(dict(attributes or {})),
    )
