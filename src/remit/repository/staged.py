"""What holds in a stage: the files of the repository, with what lies over them there.

A stage is an installation of Remit (`dev`, `staging`, `prod`), and not one of the catalog's environments,
which say where servers live. `stages/prod/servers/crm.yaml` is merged over `servers/crm.yaml`;
`stages/prod/policies/hours.cedar` replaces `policies/hours.cedar`, and takes it away when it is empty.
Every part goes on naming the file that it stands in. Refused: an overlay of a stage that `stages` in
`remit.yaml` does not list, and a stage that lists the stages.

Source: RFC 7396 §2.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from remit.documents import (
    ANY,
    Document,
    DocumentInvalidError,
    Problem,
    did_you_mean,
    is_removal,
    lay_over,
    lay_over_nothing,
    one_of,
    quoted,
    read_yaml,
)
from remit.documents.reading import decode
from remit.policy import PolicySource
from remit.repository.draft import strings_at
from remit.repository.files import POLICIES, ROOT, STAGES, Files, digest_of

__all__ = [
    "Staged",
    "below",
    "check_stages",
    "in_stage",
    "stages_of",
    "version_in",
]

_DECLARATION = "stages"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """What was read, by the path that it holds under; an overlay's own file is below `stages/`.

    `names` are the paths of all that is there, also of what could not be read; `unread` the files in
    which a mistake hides whatever follows. `root` is `remit.yaml` below every overlay, and `root_above`
    what is laid over it.
    """

    documents: Mapping[str, Document]
    policies: tuple[PolicySource, ...]
    names: frozenset[str]
    unread: tuple[str, ...]
    root: Document | None
    root_above: Document | None


def in_stage(files: Files, stage: str | None, problems: list[Problem]) -> Staged:
    """Read every file that holds in `stage`, or outside of any; what is wrong goes to `problems`."""
    base = _documents(files.contents, "", problems)
    texts = _texts(files.contents, "", problems)
    names = set(files.contents)
    unread = [one for one in files.contents if one.endswith(".yaml") and one not in base]
    overlay = {} if stage is None else files.overlays.get(stage, {})
    prefix = f"{STAGES}/{stage}/"
    above = _documents(overlay, prefix, problems)
    unread += [f"{prefix}{one}" for one in overlay if one.endswith(".yaml") and one not in above]
    documents = dict(base)
    for name, document in above.items():
        if is_removal(document):
            documents.pop(name, None)
            names.discard(name)
        elif name in base:
            documents[name] = lay_over(base[name], document)
        elif name not in files.contents and document.root.value is not None:
            documents[name] = lay_over_nothing(document, file=name)
            names.add(name)
    for name, source in _texts(overlay, prefix, problems).items():
        if source.text.strip():
            texts[name] = source
            names.add(name)
        else:
            texts.pop(name, None)
            names.discard(name)
    return Staged(
        documents=documents,
        policies=tuple(texts[name] for name in sorted(texts)),
        names=frozenset(names),
        unread=tuple(sorted(unread)),
        root=base.get(ROOT),
        root_above=above.get(ROOT),
    )


def below(path: str) -> str:
    """The path that a file of an overlay is laid over; any other path is its own."""
    parts = path.split("/", 2)
    return parts[2] if parts[0] == STAGES and len(parts) > 2 else path


def stages_of(root: Document | None) -> tuple[str, ...]:
    """The stages that `remit.yaml` lists, in its order."""
    return tuple(text for _, text in strings_at(root, (_DECLARATION, ANY)))


def check_stages(
    files: Files, staged: Staged, *, asked: str | None, problems: list[Problem]
) -> None:
    """Refuse what is laid over nothing that is declared."""
    root, above = staged.root, staged.root_above
    if root is None:
        return
    if above is not None and above.nearest((_DECLARATION,))[1]:
        # Whoever could list the stages in a stage could bring one into being that nobody reviewed.
        message, expected = "a stage lists the stages", f"`stages` in {ROOT} alone"
        problems.append(above.problem((_DECLARATION,), message, expected=expected))
    declared = stages_of(root)
    if asked is not None and asked not in declared:
        problems.append(
            root.problem(
                (_DECLARATION,),
                f"there is no stage {quoted(asked)}{did_you_mean(asked, declared)}",
                expected=one_of(declared) or "a list `stages`, such as `[dev, staging, prod]`",
            )
        )
    for stage, overlay in files.overlays.items():
        if stage not in declared and overlay:
            problems.append(
                Problem(
                    file=f"{STAGES}/{stage}/{min(overlay)}",
                    line=1,
                    column=1,
                    message=f"an overlay of {quoted(stage)}, which is no stage{did_you_mean(stage, declared)}",
                    expected=one_of(declared) or f"`stages: [{stage}]` in {ROOT}",
                )
            )


def version_in(files: Files, stage: str | None) -> str:
    """What names the catalog: the bundle, unless something is laid over it; then what is, and over what.

    The folder itself stands among the files, which no file of a bundle can: so the two never have one name.
    """
    overlay = {} if stage is None else files.overlays.get(stage, {})
    if not overlay:
        return digest_of(files.bundle)
    laid = {f"{STAGES}/{stage}/{name}": content for name, content in overlay.items()}
    return digest_of({**files.contents, **laid, f"{STAGES}/{stage}": b""})


def _documents(
    contents: Mapping[str, bytes], prefix: str, problems: list[Problem]
) -> dict[str, Document]:
    """Every YAML file as a document; what has no tree is left out, and every refusal reported."""
    documents: dict[str, Document] = {}
    for name, content in contents.items():
        if name.endswith(".yaml"):
            reading = read_yaml(content, file=f"{prefix}{name}")
            problems.extend(reading.problems)
            if reading.document is not None:
                documents[name] = reading.document
    return documents


def _texts(
    contents: Mapping[str, bytes], prefix: str, problems: list[Problem]
) -> dict[str, PolicySource]:
    """Every policy file as text; what is no text is left out and reported."""
    found: dict[str, PolicySource] = {}
    for name in sorted(contents):
        if name.startswith(f"{POLICIES}/"):
            shown = f"{prefix}{name}"
            try:
                found[name] = PolicySource(decode(contents[name], file=shown), shown)
            except DocumentInvalidError as error:
                problems.extend(error.problems)
    return found
