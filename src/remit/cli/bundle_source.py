"""Where a bundle comes from: a folder, a file, or another Remit.

Refused before anything is sent: a folder with files that would be left out in silence, and a file that is no bundle.
"""

import json
import os
from pathlib import Path
from typing import Any, ClassVar

from remit.canonical import JsonObject
from remit.cli.asking import call
from remit.cli.options import Where
from remit.deployment.bundle import Bundle, bundle_bytes, bundle_of, is_digest, read_bundle
from remit.errors import Error
from remit.repository import RepositoryInvalidError
from remit.repository.folder import read_files
from remit.settings import load_settings

__all__ = ["NoSourceError", "bundle_in", "fetched", "folder_bundle", "read_bundle_file"]


class NoSourceError(Error):
    """It cannot be told where the bundle is to come from, or it cannot be read there."""

    code: ClassVar[str] = "no_source"


def bundle_in(repo: Path | None, bundle: str | None) -> dict[str, Any]:
    """What says to the management API which bundle is meant.

    Raises:
        NoSourceError: both are named, or the file cannot be read.
        RepositoryInvalidError: there is a file in the folder that does not count.
        BundleMalformedError: the file is no bundle.
    """
    if bundle is None:
        return {"bundle": _carried(folder_bundle(repo))}
    if repo is not None:
        raise NoSourceError("`--repo` and `--bundle` name two bundles")
    if is_digest(bundle):
        return {"digest": bundle}
    return {"bundle": _carried(read_bundle_file(Path(bundle)))}


def folder_bundle(repo: Path | None) -> Bundle:
    """The bundle of a policy repository, as it stands.

    Raises:
        RepositoryMissingError: there is no such folder.
        RepositoryInvalidError: there is a file in it that does not count.
        BundleMalformedError: it is too large.
    """
    folder = repo or load_settings(flags={}, environ=os.environ, config=None).settings.repo
    files = read_files(folder)
    if files.problems:
        raise RepositoryInvalidError(files.problems)
    return bundle_of(files.bundle)


def read_bundle_file(path: Path) -> Bundle:
    """The bundle in a file.

    Raises:
        NoSourceError: it cannot be read.
        BundleMalformedError: it is none.
    """
    try:
        return read_bundle(path.read_bytes())
    except OSError as error:
        why = (error.strerror or "unknown").lower()
        raise NoSourceError(f"cannot read the bundle `{path}`: {why}", cause=error) from error


def fetched(source: str, bundle: str | None, *, token_env: str | None) -> JsonObject:
    """A bundle of another Remit, checked, as it is sent on.

    Raises:
        NoSourceError: it cannot be told where from.
        BundleMalformedError: what is there is no bundle.
    """
    if not source:
        raise NoSourceError("say where the bundle was in force: --from URL, data folder or file")
    if source.startswith(("https://", "http://")):
        return _checked(_elsewhere(source, bundle, token_env))
    place = Path(source)
    if place.is_dir():
        where = Where(data=place)
        return _checked(call(where, "bundles.export", path={"bundle": _meant(where, bundle)}))
    found = read_bundle_file(place)
    if bundle is not None and not found.digest.startswith(bundle):
        raise NoSourceError(f"the bundle in `{place}` is another: `{found.digest[:12]}`")
    return _carried(found)


def _elsewhere(url: str, bundle: str | None, token_env: str | None) -> dict[str, Any]:
    """Ask the Remit at `url`, with the token in the variable `token_env`, and nothing of what the target is asked with."""
    named = {"REMIT_URL": url, "REMIT_TOKEN": os.environ.get(token_env or "", "")}
    before = {name: os.environ.get(name) for name in (*named, "REMIT_TOKEN_FILE")}
    if not named["REMIT_TOKEN"]:
        raise NoSourceError("name the variable with a token for that URL: --from-token-env NAME")
    os.environ.update(named)
    try:
        return call(Where(), "bundles.export", path={"bundle": _meant(Where(), bundle)})
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _meant(where: Where, bundle: str | None) -> str:
    return bundle or str(call(where, "bundles.list")["in_force"])


def _checked(found: dict[str, Any]) -> JsonObject:
    return _carried(read_bundle(json.dumps(found).encode()))


def _carried(bundle: Bundle) -> JsonObject:
    carried: JsonObject = json.loads(bundle_bytes(bundle))
    return carried
