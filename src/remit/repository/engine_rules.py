"""What servers and tenants may not say of engines.

Refused: an engine that goes by the name of ours in the log; a guard inside a server whose engine it could not ask. It has its part of this repository and no secret of
Remit's, and loads no plug-in into its server's process; so every call of that server would be refused.

Source: docs/guides/policy-engines.md, "guards inside servers".
"""

from collections.abc import Iterator, Mapping

from remit.documents import Document, Path, Problem, quoted
from remit.model import RESERVED_ENGINES
from remit.repository.draft import Draft, names_under, strings_at

__all__ = ["check_engines"]


def check_engines(draft: Draft) -> Iterator[Problem]:
    """Every server whose guard could not ask the engine that permits its calls."""
    if draft.root is None:
        return
    for name in sorted(names_under(draft.root, "engines") or ()):
        if name in RESERVED_ENGINES:
            yield draft.root.problem(
                ("engines", name),
                f"the name {quoted(name)} is taken: the log calls an engine in this process so",
                expected="another name",
            )
    faults = _unaskable(draft.root)
    of_tenants = {
        str(path[1]): name
        for tenant in sorted(names_under(draft.root, "tenants") or ())
        for path, name in strings_at(draft.root, ("tenants", tenant, "engine"))
    }
    for document in draft.servers.values():
        if not any(strings_at(document, ("guard_secret",))):
            continue
        for path, name in _engines(document, of_tenants):
            if name in faults:
                yield document.problem(
                    path,
                    f"a guard inside this server cannot ask the engine {quoted(name)}: {faults[name]}",
                    expected="an engine without a secret, no guard, or another engine for this server",
                )


def _engines(document: Document, of_tenants: Mapping[str, str]) -> Iterator[tuple[Path, str]]:
    """The engines that may permit calls of a server, with the place to blame."""
    own = list(strings_at(document, ("engine",)))
    if own:
        yield from own
        return
    tenants = [name for _, name in strings_at(document, ("tenant",))]
    for tenant, engine in of_tenants.items():
        if not tenants or tenant in tenants:
            yield ("guard_secret",), engine


def _unaskable(root: Document) -> dict[str, str]:
    """The engines that no guard inside a server can ask, and why."""
    faults: dict[str, str] = {}
    for name in sorted(names_under(root, "engines") or ()):
        kinds = [kind for _, kind in strings_at(root, ("engines", name, "kind"))]
        if any(strings_at(root, ("engines", name, "secret"))):
            faults[name] = "its secret stays with Remit"
        elif kinds == ["plugin"]:
            faults[name] = "it is a plug-in, which is loaded by Remit alone"
    return faults
