"""Whether the claims of a workload rule single anybody out.

Refused: a value that is only `*`, or with a `*` elsewhere than at its end; a rule whose claims
every assertion of the issuer has. Of GitHub Actions, where everybody in the world may run a
pipeline: a rule that says nothing of the repository or its owner, one that matches by `actor`
(anybody may be that in a fork), and a beginning that ends within a name (`acme*` is also
`acme-evil/x`).

Source: RFC 7523 §3; GitHub Docs, "OpenID Connect reference"; AS-70, AS-71.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from remit.documents import one_of, quoted

__all__ = ["GITHUB_ACTIONS", "claims_fault", "value_faults"]

GITHUB_ACTIONS: Final = "https://token.actions.githubusercontent.com"

_OF_EVERYBODY: Final = frozenset({"aud", "azp", "exp", "iat", "iss", "jti", "nbf"})
_WHO_AT_GITHUB: Final = frozenset({"repository", "repository_id", "repository_owner_id", "sub"})
_ACTOR: Final = frozenset({"actor", "actor_id", "triggering_actor"})
_NUMBERS_AT_GITHUB: Final = frozenset({"repository_id", "repository_owner_id"})


def claims_fault(issuer: str, names: Collection[str]) -> tuple[str, str] | None:
    """What is wrong with matching by the claims `names` alone, and what was expected."""
    if not set(names) - _OF_EVERYBODY:
        return "every workload of the issuer would match", "a claim that tells workloads apart"
    if _is_github(issuer) and not set(names) & _WHO_AT_GITHUB:
        return (
            "every repository of GitHub could match: nothing says which one it is",
            one_of(_WHO_AT_GITHUB),
        )
    return None


def value_faults(
    issuer: str, values: Mapping[str, Collection[str]]
) -> Iterator[tuple[str, str | None, str, str]]:
    """What is wrong with single claims: the claim, the value or `None` for all of it, the words, what was expected."""
    for name, given in values.items():
        if _is_github(issuer) and name in _ACTOR:
            yield (
                name,
                None,
                f"anybody can be the {quoted(name)} of a pipeline",
                one_of(_WHO_AT_GITHUB),
            )
            continue
        for value in given:
            if fault := _value_fault(name, value, github=_is_github(issuer)):
                yield name, value, *fault


def _value_fault(name: str, value: str, *, github: bool) -> tuple[str, str] | None:
    beginning = value.removesuffix("*")
    if "*" in beginning:
        return f"{quoted(value)} has a wildcard before its end", "a value, or a beginning and `*`"
    if not beginning:
        return f"{quoted(value)} matches everything", "a value that singles out who is meant"
    if beginning == value or not github:
        return None
    if name in _NUMBERS_AT_GITHUB:
        return f"{quoted(value)} is the beginning of a number", "the whole number"
    if (name == "repository" and "/" not in beginning) or (
        name == "sub" and not _names_owner(beginning)
    ):
        return (
            f"{quoted(value)} matches owners of other names, too",
            "at least the whole owner: `acme/*`, or `repo:acme/*` for `sub`",
        )
    return None


def _names_owner(beginning: str) -> bool:
    kind, _, rest = beginning.partition(":")
    return kind == "repo" and "/" in rest and not rest.startswith("/")


def _is_github(issuer: str) -> bool:
    # An enterprise may have an issuer of its own below it.
    return issuer == GITHUB_ACTIONS or issuer.startswith(f"{GITHUB_ACTIONS}/")
