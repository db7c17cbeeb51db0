"""What holds for everybody, in two catalogs: tenants, limits, engines, log-in, whose word is taken, how policies change.

All of these are privileged where they widen: they are the fences around everything else.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from remit.model import Catalog
from remit.replay.difference import Area, Change, Effect, Kind
from remit.replay.weighing import (
    Properties,
    call_limits,
    fewer_is_wider,
    higher_is_wider,
    listed,
    lower_is_wider,
    more_is_wider,
    ordered,
    said,
    words,
)

__all__ = ["rule_changes"]

_GUARDRAILS: Final = Properties(
    Area.GUARDRAIL,
    {
        "max_scopes_per_agent": higher_is_wider,
        "max_scopes_per_token": higher_is_wider,
        "forbidden_scopes": fewer_is_wider,
        "max_delegation_depth": higher_is_wider,
        "limits_per_agent": call_limits,
        "limits_per_user": call_limits,
    },
)
_DEPLOYMENT: Final = Properties(
    Area.DEPLOYMENT,
    {
        "second_person": ordered("always", "widening", "never"),
        "privileged_scopes": fewer_is_wider,
        "tests_required": lower_is_wider,
        "replay_days": lower_is_wider,
        "newly_allowed_reviewed": lower_is_wider,
        "trial_refusals": higher_is_wider,
        "from_stages": listed,
        "replaced_may_come": higher_is_wider,
    },
)
_REGISTRATION: Final = Properties(
    Area.REGISTRATION,
    {
        "mode": ordered("off", "gated", "open"),
        "metadata_documents": higher_is_wider,
        "redirect_uri_schemes": more_is_wider,
        "otherwise": ordered("refuse", "approve", "admit"),
        "unused_lifetime": higher_is_wider,
        "removal_notice": words,
        "per_hour": higher_is_wider,
    },
)
_SIGN_IN: Final = Properties(
    Area.SIGN_IN,
    {"passwords": higher_is_wider, "second_factor": ordered("required", "optional")},
    skipped=("providers",),
)
_ISSUER: Final = Properties(
    Area.ISSUER,
    {
        "name": words,
        "access_token_lifetime": higher_is_wider,
        "refresh_token_idle": higher_is_wider,
        "grant_lifetime": higher_is_wider,
        "code_lifetime": higher_is_wider,
        "session_idle": higher_is_wider,
        "session_lifetime": higher_is_wider,
        "default_scopes": more_is_wider,
    },
)
_TENANT: Final = Properties(
    Area.TENANT, {"name": words, "mode": ordered("enforce", "observe")}, skipped=("id",)
)
_PROVIDER: Final = Properties(Area.SIGN_IN, {"title": words})
_TRUST: Final = Properties(Area.TRUST, {"max_lifetime": higher_is_wider})
_ENGINE: Final = Properties(Area.ENGINE, {})
_HISTORY: Final = Properties(Area.HISTORY, {})


def rule_changes(old: Catalog, new: Catalog) -> Iterator[Change]:
    """Every change of what holds for everybody."""
    for properties, name, part in (
        (_GUARDRAILS, "guardrails", "guardrails"),
        (_DEPLOYMENT, "deployment", "deployment"),
        (_REGISTRATION, "registration", "registration"),
        (_SIGN_IN, "sign-in", "sign_in"),
        (_ISSUER, "issuer", "issuer"),
    ):
        yield from properties.changes(name, getattr(old, part), getattr(new, part), privileged=True)
    yield from _named(Area.TENANT, _TENANT, old.tenants, new.tenants)
    yield from _named(Area.SIGN_IN, _PROVIDER, old.sign_in.providers, new.sign_in.providers)
    yield from _named(Area.TRUST, _TRUST, old.trust.issuers, new.trust.issuers)
    # Whoever answers there permits; that nothing names it yet may change with no word about the engine itself.
    yield from _named(
        Area.ENGINE, _ENGINE, old.engines, new.engines, alone=(Effect.MAY_WIDEN, Effect.NEITHER)
    )
    # A fact is read by policies, and those are compared.
    nothing = (Effect.NEITHER, Effect.NEITHER)
    yield from _named(Area.HISTORY, _HISTORY, old.history, new.history, alone=nothing)
    yield from _networks(old.networks, new.networks)
    gained = [one for one in new.environments if one not in old.environments]
    lost = [one for one in old.environments if one not in new.environments]
    yield from (_plain(Area.ENVIRONMENT, one, Kind.ADDED, Effect.NEITHER) for one in gained)
    yield from (_plain(Area.ENVIRONMENT, one, Kind.REMOVED, Effect.NARROWS) for one in lost)


def _named(
    area: Area,
    properties: Properties,
    old: Mapping[Any, Any],
    new: Mapping[Any, Any],
    *,
    alone: tuple[Effect, Effect] = (Effect.WIDENS, Effect.NARROWS),
) -> Iterator[Change]:
    """Things by their names. `alone`: what it does that there is one more, and that there is one less."""
    more, less = alone
    for name in sorted(old.keys() | new.keys(), key=str):
        was, would = old.get(name), new.get(name)
        if was is None:
            yield _plain(area, str(name), Kind.ADDED, more)
        elif would is None:
            yield _plain(area, str(name), Kind.REMOVED, less)
        else:
            yield from properties.changes(str(name), was, would, privileged=True)


def _networks(
    old: Mapping[str, tuple[str, ...]], new: Mapping[str, tuple[str, ...]]
) -> Iterator[Change]:
    """Names of networks: policies permit by them, and forbid."""
    for name in sorted(old.keys() | new.keys()):
        was, would = old.get(name, ()), new.get(name, ())
        if was != would:
            kind = Kind.CHANGED if was and would else (Kind.REMOVED if was else Kind.ADDED)
            yield Change(
                area=Area.NETWORK,
                kind=kind,
                name=name,
                what=f"the network `{name}`: {said(was) or 'nothing'} → {said(would) or 'nothing'}",
                effect=Effect.MAY_WIDEN,
                before=said(was),
                after=said(would),
                privileged=True,
            )


def _plain(area: Area, name: str, kind: Kind, effect: Effect) -> Change:
    return Change(
        area=area,
        kind=kind,
        name=name,
        what=f"{area.value} `{name}` is {kind.value}",
        effect=effect,
        privileged=effect.is_widening,
    )
