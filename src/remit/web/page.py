"""Pages: HTML from a template, every value escaped, with headers that leave a browser no choice.

A template is named `<room>/<file>` and lives in `src/remit/<room>/templates/<file>`; all
extend `web/layout.html`. A name that a template uses and its context lacks is an error.

Source: MCP security best practices (consent page: no framing); RFC 9700 §4.2.4 (referrer), §4.16.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, FunctionLoader, StrictUndefined
from starlette.responses import HTMLResponse

from remit.web.content_security import content_security_policy
from remit.web.static_files import static_url

__all__ = ["error_page", "page", "render"]

_TEMPLATE = re.compile(r"([a-z_]+)/([a-z0-9_]+\.html)")


def page(
    template: str,
    context: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    form_action: Sequence[str] = (),
    scripts: bool = False,
) -> HTMLResponse:
    """The page that `template` makes of `context`.

    `form_action`: where its form may lead besides our own origin (`redirect_source`).
    `scripts`: whether it may run our own script files; none that stands in the page ever runs.
    """
    return HTMLResponse(
        render(template, context),
        status_code=status,
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": content_security_policy(form_action, scripts=scripts),
            **(headers or {}),
        },
    )


def error_page(
    status: int, title: str, *, message: str, hint: str = "", code: str = ""
) -> HTMLResponse:
    """A page that says what went wrong and what to do: `message` and `hint` are shown as they are.

    `code` is the stable word an administrator can look up.
    """
    context = {"title": title, "message": message, "hint": hint, "code": code, "status": status}
    return page("web/error.html", context, status=status)


def render(template: str, context: Mapping[str, object]) -> str:
    """The text of the page, for a caller that must know it, such as the digest of a consent."""
    return _environment().get_template(template).render(context)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FunctionLoader(_template_source),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.globals["static_url"] = static_url
    return environment


def _template_source(name: str) -> str | None:
    match = _TEMPLATE.fullmatch(name)
    if match is None:
        return None
    room, file = match.groups()
    path = files("remit").joinpath(room, "templates", file)
    return path.read_text(encoding="utf-8") if path.is_file() else None
