"""A report as one page of HTML that needs nothing else: no script, no picture, no font, nothing fetched.

Its own policy lets nothing be. It is read in the dark, on a telephone, by keyboard and aloud; printed, too. What came from
outside is escaped, and what could turn the writing around is replaced.
"""

import base64
import hashlib
from functools import cache
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from remit.trail.report import Report

__all__ = ["report_page"]


def report_page(report: Report) -> str:
    """The page, as HTML in UTF-8."""
    style = _file("report.css")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    return _template().render(
        report=report,
        style=Markup(style),  # noqa: S704  our own file
        style_digest=digest,
        shown=_printable,
    )


@cache
def _template() -> Template:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    return environment.from_string(_file("report.html"))


def _file(name: str) -> str:
    return files("remit.trail").joinpath("templates", name).read_text(encoding="utf-8")


def _printable(text: str) -> str:
    """`text` without what is not seen, but for line breaks."""
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in text)
