"""A Remit elsewhere: its management API over HTTPS, with a bearer token, instead of the socket of one here.

Every command that asks the management API takes `--url`, with `--token-env` or `--token-file`; in
pipelines `REMIT_URL`, and `REMIT_TOKEN` or `REMIT_TOKEN_FILE`, say it once for all. The flags are read
before the command sees its own, and stand for the variables while it runs.

Refused: a URL that is neither https nor on loopback, a token on the command line (processes are
listed to everybody), a token that could not be one, and a URL beside a data folder. No redirect is
followed, so that the token goes nowhere else.

Source: RFC 6750 §2.1, §5.3; docs/guides/continuous-integration.md.
"""

import os
import ssl
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Final
from urllib.parse import urlsplit

from remit.cli.options import Where
from remit.errors import Error

__all__ = ["Remote", "RemoteMisnamedError", "base_url_of", "remote_flags", "remote_meant"]

_URL: Final = "REMIT_URL"
_TOKEN: Final = "REMIT_TOKEN"  # noqa: S105  the name of a variable
_TOKEN_FILE: Final = "REMIT_TOKEN_FILE"  # noqa: S105
_FLAGS: Final = ("--url", "--token-env", "--token-file")
_HERE: Final = frozenset({"serve", "init", "check", "test", "demo", "doctor", "version", "login"})
"""Commands that are about what is here, or take these flags themselves."""
_OWN_URL: Final = ("servers", "discover")
"""The one command whose `--url` is that of a server to be asked."""
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_LONGEST: Final = 16_384


class RemoteMisnamedError(Error):
    """Where Remit is, or with which token it is asked, cannot be told; `detail` says what to mend."""

    code: ClassVar[str] = "remote_misnamed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remote:
    """Where it is, and what says that it may be asked. Not to be shown: `token` is a secret."""

    url: str
    token: str

    @property
    def headers(self) -> Mapping[str, str]:
        """What every request brings."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def verified_by(self) -> ssl.SSLContext | bool:
        """What its certificate is held against; `SSL_CERT_FILE` names an authority of one's own."""
        return ssl.create_default_context() if self.url.startswith("https:") else False


@contextmanager
def remote_flags(arguments: list[str], environ: MutableMapping[str, str]) -> Iterator[None]:
    """Take the flags out of `arguments` and put what they say into `environ`, for as long as it lasts.

    Raises:
        RemoteMisnamedError: one has no value, stands there twice, or beside another that says otherwise.
    """
    whole = list(arguments)
    rest, said = _taken(whole)
    if not said:
        yield
        return
    before = {name: environ.get(name) for name in (_URL, _TOKEN, _TOKEN_FILE)}
    arguments[:] = rest
    environ.update(_variables(said, rest, environ))
    if "--token-env" in said or "--token-file" in said:
        environ.pop(_TOKEN if "--token-file" in said else _TOKEN_FILE, None)
    try:
        yield
    finally:
        arguments[:] = whole
        for name, value in before.items():
            environ.pop(name, None)
            if value is not None:
                environ[name] = value


def remote_meant(where: Where, environ: Mapping[str, str] = os.environ) -> Remote | None:
    """The Remit elsewhere that is named; `None`: the one here. A data folder that is named counts for more.

    Raises:
        RemoteMisnamedError: it is named in a wrong way, or without a token.
    """
    url = environ.get(_URL)
    if not url or where.data is not None:
        return None
    return Remote(url=base_url_of(url), token=_token(environ))


def base_url_of(url: str) -> str:
    """`url` without a slash at its end.

    Raises:
        RemoteMisnamedError: a token must not be sent there, or it is no URL of a Remit.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise RemoteMisnamedError("the URL has to begin with `https://`, but on this very machine")
    if not parts.hostname or parts.query or parts.fragment or parts.username is not None:
        raise RemoteMisnamedError(
            "the URL has to be that of Remit itself, such as `https://remit.acme.example`"
        )
    return url.rstrip("/")


def _taken(arguments: Sequence[str]) -> tuple[list[str], Mapping[str, str]]:
    """`arguments` without the flags, and what those said."""
    if len(arguments) < 2 or arguments[1] in _HERE or tuple(arguments[1:3]) == _OWN_URL:
        return list(arguments), MappingProxyType({})
    rest: list[str] = []
    said: dict[str, str] = {}
    waiting = iter(arguments)
    for word in waiting:
        if word == "--":
            return [*rest, word, *waiting], said
        flag, equals, value = word.partition("=")
        if flag not in _FLAGS:
            rest.append(word)
            continue
        given = value if equals else next(waiting, "")
        if not given or flag in said:
            raise RemoteMisnamedError(f"give `{flag}` once, with a value")
        said[flag] = given
    return rest, said


def _variables(
    said: Mapping[str, str], rest: Sequence[str], environ: Mapping[str, str]
) -> Mapping[str, str]:
    url = said.get("--url") or environ.get(_URL)
    if not url:
        raise RemoteMisnamedError("a token is for a Remit elsewhere: name it with `--url`")
    if "--url" in said and any(one.partition("=")[0] == "--data" for one in rest):
        raise RemoteMisnamedError("`--url` and `--data` name two different Remits")
    variable, file = said.get("--token-env"), said.get("--token-file")
    if variable is not None and file is not None:
        raise RemoteMisnamedError("`--token-env` and `--token-file` name two tokens")
    found = {_URL: url}
    if variable is not None:
        if not environ.get(variable):
            raise RemoteMisnamedError(f"the variable `{variable}` holds no token")
        found[_TOKEN] = environ[variable]
    if file is not None:
        found[_TOKEN_FILE] = file
    return found


def _token(environ: Mapping[str, str]) -> str:
    file = environ.get(_TOKEN_FILE)
    if environ.get(_TOKEN):
        text, place = environ[_TOKEN], "the variable that was named"
    elif file:
        text, place = _read(Path(file)), f"the file `{file}`"
    else:
        raise RemoteMisnamedError(
            "no token is named: `--token-env NAME`, `--token-file FILE` or `REMIT_TOKEN`"
        )
    token = text.strip()
    # RFC 6750 §2.1: anything else would be another header, or none.
    if not token or len(token) > _LONGEST or not all("!" <= one <= "~" for one in token):
        raise RemoteMisnamedError(f"{place} holds no token")
    return token


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RemoteMisnamedError(f"the file `{file}` cannot be read", cause=error) from error
