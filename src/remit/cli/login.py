"""`remit login`: a short token for the management API, for a job that has no person and no secret.

The platform says who the job is, Remit looks up in `trust.yaml` which agent that is, and gives a
token for minutes. What is shown to Remit is addressed to that Remit alone. The token is written to a
file that nobody else may read, and never printed.

Refused: a URL that is neither https nor on loopback; a platform that gives nothing.

Source: RFC 7523 §2.1; RFC 8707 §2; GitHub Docs, "OpenID Connect reference".
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Final
from urllib.parse import quote

import typer

from remit.cli.remote import base_url_of
from remit.errors import Error

if TYPE_CHECKING:
    import httpx2

__all__ = ["LoginRefusedError", "login"]

_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_REQUEST_URL: Final = "ACTIONS_ID_TOKEN_REQUEST_URL"
_REQUEST_TOKEN: Final = "ACTIONS_ID_TOKEN_REQUEST_TOKEN"  # noqa: S105  the name of a variable
_TIMEOUT: Final = 30.0


class LoginRefusedError(Error):
    """No token was given; `detail` says by whom and why."""

    code: ClassVar[str] = "login_refused"


def login(
    url: Annotated[
        str,
        typer.Option(
            "--url", metavar="URL", envvar="REMIT_URL", help="Where Remit is.", show_envvar=False
        ),
    ],
    token_file: Annotated[
        Path,
        typer.Option(
            "--token-file",
            metavar="FILE",
            envvar="REMIT_TOKEN_FILE",
            show_envvar=False,
            help="Where the token goes; nobody else can read it.",
        ),
    ],
    assertion_env: Annotated[
        str | None,
        typer.Option(
            "--assertion-env", metavar="NAME", help="The variable with what the platform signed."
        ),
    ] = None,
    assertion_file: Annotated[
        Path | None,
        typer.Option("--assertion-file", metavar="FILE", help="The file with it."),
    ] = None,
    scope: Annotated[
        list[str] | None,
        typer.Option(
            "--scope", metavar="SCOPE", help="Only these; else all that the job may have."
        ),
    ] = None,
) -> None:
    """Get a short token for a job. By what its platform signs: in GitHub Actions nothing has to be named."""
    import httpx2  # half of a second that `--help` need not pay

    from remit.cli.terminal import say

    base = base_url_of(url)
    with httpx2.Client(timeout=_TIMEOUT, trust_env=False) as client:
        assertion = _assertion(client, base, assertion_env, assertion_file)
        form = {"grant_type": _GRANT, "assertion": assertion, "resource": f"{base}/api/v1"}
        if scope:
            form["scope"] = " ".join(scope)
        answer = _asked(client, "POST", f"{base}/token", data=form)
    _write(token_file, str(answer["access_token"]))
    minutes = int(str(answer.get("expires_in", 0))) // 60
    say(f"a token for {minutes} minutes is in {token_file}: {answer.get('scope', '')}")


def _assertion(client: "httpx2.Client", base: str, variable: str | None, file: Path | None) -> str:
    """What the platform says of the job, to this Remit and nobody else."""
    if variable is not None and file is not None:
        raise LoginRefusedError("`--assertion-env` and `--assertion-file` name two assertions")
    if file is not None:
        try:
            return file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise LoginRefusedError(f"the file `{file}` cannot be read", cause=error) from error
    if variable is not None:
        found = os.environ.get(variable, "").strip()
        if not found:
            raise LoginRefusedError(f"the variable `{variable}` holds nothing")
        return found
    return _from_github(client, base, os.environ)


def _from_github(client: "httpx2.Client", base: str, environ: Mapping[str, str]) -> str:
    address, bearer = environ.get(_REQUEST_URL), environ.get(_REQUEST_TOKEN)
    if not address or not bearer:
        raise LoginRefusedError(
            "the job has no identity: in GitHub Actions it takes `permissions: id-token: write`,"
            " elsewhere `--assertion-file` or `--assertion-env`"
        )
    joint = "&" if "?" in address else "?"
    where = f"{address}{joint}audience={quote(base, safe='')}"
    base_url_of(address.partition("?")[0])
    answer = _asked(client, "GET", where, headers={"Authorization": f"Bearer {bearer}"})
    value = answer.get("value")
    if not isinstance(value, str) or not value:
        raise LoginRefusedError("the platform answered without an identity")
    return value


def _asked(
    client: "httpx2.Client", method: str, address: str, **options: Mapping[str, str]
) -> Mapping[str, object]:
    import httpx2  # as above

    from remit.canonical import parse_json

    try:
        response = client.request(method, address, **options)  # type: ignore[arg-type]  # data or headers
    except httpx2.TransportError as error:
        raise LoginRefusedError("the other side cannot be reached", cause=error) from error
    try:
        answer = parse_json(response.content)
    except Error:
        answer = None
    found = answer if isinstance(answer, dict) else {}
    if response.status_code != 200 or not found:
        words = found.get("error_description") or found.get("error") or "no reason was given"
        raise LoginRefusedError(f"refused with {response.status_code}: {_shown(str(words))}")
    return found


def _shown(text: str) -> str:
    return "".join(one for one in text if one.isprintable())[:300]


def _write(file: Path, token: str) -> None:
    """The token in a new file of its own, which is readable by nobody else from its first byte."""
    try:
        file.unlink(missing_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as opened:
            opened.write(token)
    except OSError as error:
        raise LoginRefusedError(f"the file `{file}` cannot be written", cause=error) from error
