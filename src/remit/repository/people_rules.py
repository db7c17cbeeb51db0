"""What `people.yaml` may not say: providers that let everybody in, or nobody; persons who would be two.

Source: OpenID Connect Discovery §4.3 (the issuer is exact); RFC 9207; MISSION A9.
"""

from collections.abc import Iterator

from remit.documents import ANY, Document, Path, Problem, quoted
from remit.repository.draft import Draft, strings_at
from remit.repository.web_addresses import private_address_faults

__all__ = ["check_people"]

# Anybody can have an account there.
_PUBLIC = frozenset({
    "https://accounts.google.com", "https://appleid.apple.com", "https://gitlab.com",
    "https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
    "https://www.facebook.com", "https://www.linkedin.com/oauth",
})  # fmt: skip
_ENTRA = "https://login.microsoftonline.com/"
_ENTRA_OF_ALL = ("common", "organizations", "consumers")


def check_people(draft: Draft) -> Iterator[Problem]:
    """Everything about identity providers that the models do not see."""
    if draft.people is None:
        return
    issuers: dict[str, str] = {}
    for path, _ in draft.people.find(("providers", ANY)):
        yield from private_address_faults(draft.people, path)
        yield from _of_nobody(draft.people, path)
        for at, issuer in strings_at(draft.people, (*path, "issuer")):
            yield from _of_everybody(draft.people, at, issuer)
            first = issuers.setdefault(issuer, str(path[-1]))
            if first != path[-1]:
                # A person is `iss` and `sub`: which rules hold would be for the person to choose.
                yield draft.people.problem(
                    at,
                    f"the issuer {quoted(issuer)} is that of {quoted(first)} too",
                    expected="one provider, with rules for all of its people",
                )


def _of_nobody(document: Document, provider: Path) -> Iterator[Problem]:
    """A person without a tenant is refused, so a provider that never gives one is of no use."""
    places = ((*provider, "tenant"), (*provider, "rules", ANY, "tenant"))
    if not any(document.nearest(place)[1] for place in places[:1]) and not any(
        document.find(places[1])
    ):
        yield document.problem(
            provider,
            "nobody who logs in here would be of a tenant",
            expected="`tenant`, or a rule that gives one",
        )


def _of_everybody(document: Document, at: Path, issuer: str) -> Iterator[Problem]:
    if issuer.startswith(_ENTRA) and issuer.removeprefix(_ENTRA).split("/")[0] in _ENTRA_OF_ALL:
        yield document.problem(
            at,
            f"{quoted(issuer)} is the issuer of no token",
            expected=f"`{_ENTRA}<directory id>/v2.0`",
        )
    provider = at[:-1]
    provision, said = document.nearest((*provider, "provision"))
    open_to_new = not said or provision.value is not False
    if issuer.rstrip("/") in _PUBLIC and open_to_new and document.nearest((*provider, "tenant"))[1]:
        yield document.problem(
            (*provider, "tenant"),
            f"everybody with an account at {quoted(issuer)} would be of this tenant",
            expected="a rule that gives the tenant, by `hd` for one; or `provision: false`",
        )
