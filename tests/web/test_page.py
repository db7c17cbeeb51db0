"""Pages: escaped, framed by nobody, readable by everybody."""

import re
from importlib.resources import files
from pathlib import Path

import pytest
from jinja2 import TemplateNotFound, UndefinedError

import remit
from remit.web import error_page, page, render

ROOT = Path(remit.__file__).parent
CSS = files("remit").joinpath("web", "static", "remit.css").read_text()


def test_a_page_cannot_be_framed_cached_or_scripted():
    headers = error_page(400, "No", message="m").headers
    assert headers["cache-control"] == "no-store"
    assert headers["content-type"] == "text/html; charset=utf-8"
    policy = headers["content-security-policy"]
    assert "frame-ancestors 'none'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "script-src" not in policy


def test_every_value_is_escaped():
    text = error_page(400, "<b>&", message='"><script>alert(1)</script>', code="'x'").body.decode()
    assert "<script" not in text
    assert "&lt;b&gt;&amp;" in text
    assert "&#34;&gt;&lt;script&gt;" in text


def test_an_error_page_says_what_to_do_and_what_to_look_up():
    response = error_page(403, "No", message="why", hint="try this", code="some_code")
    assert response.status_code == 403
    for word in (b"why", b"try this", b"some_code", b"403"):
        assert word in response.body


def test_a_page_takes_sources_for_its_form_and_headers_of_its_own():
    context = {"title": "t", "message": "m", "hint": "", "code": "", "status": 200}
    response = page(
        "web/error.html", context, headers={"X-Own": "1"}, form_action=["https://a.example"]
    )
    assert response.headers["x-own"] == "1"
    assert "form-action 'self' https://a.example;" in response.headers["content-security-policy"]


def test_a_name_that_the_context_lacks_is_an_error():
    with pytest.raises(UndefinedError):
        render("web/error.html", {"title": "t"})


@pytest.mark.parametrize(
    "name",
    ["web/../db/x.html", "web/missing.html", "/etc/passwd", "error.html", "web/static/remit.css"],
)
def test_only_templates_of_rooms_are_found(name):
    with pytest.raises(TemplateNotFound):
        render(name, {})


def test_a_page_runs_our_script_files_only_where_it_is_told_to():
    context = {"title": "t", "message": "m", "hint": "", "code": "", "status": 200}
    policy = page("web/error.html", context, scripts=True).headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy


HASHED_STYLE = """content="default-src 'none'; style-src 'sha256-{{ style_digest }}'; base-uri"""
"""A page that is kept as a file brings its style along: nothing but exactly that style is let in."""
OUR_SCRIPT = """<script src="{{ static_url('passkey.js') }}" defer></script>"""


@pytest.mark.parametrize(
    "template", sorted(ROOT.glob("*/templates/*.html")), ids=lambda path: path.name
)
def test_no_template_has_a_script_a_style_of_its_own_or_anything_from_elsewhere(template):
    text = template.read_text().replace(OUR_SCRIPT, "")
    if HASHED_STYLE in text:
        text = text.replace("<style>{{ style }}</style>", "")
    assert not re.search(r"<script|<style|\sstyle=|\son[a-z]+=|\|\s*safe\b|autoescape", text)
    assert not re.search(r"""(?:src|href|action)=["'](?:https?:)?//""", text)


def _palette(text: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", text))


LIGHT = _palette(CSS.split("@media (prefers-color-scheme: dark)")[0])
DARK = {**LIGHT, **_palette(CSS.split("@media (prefers-color-scheme: dark)")[1])}

TEXT = [
    ("ink", "paper"), ("ink", "card"), ("ink", "tint"), ("ink", "danger-tint"),
    ("ink", "warn-tint"), ("quiet", "paper"), ("quiet", "card"), ("accent", "card"),
    ("accent", "paper"), ("accent-strong", "card"), ("on-accent", "accent"),
    ("on-accent", "accent-strong"), ("danger", "card"), ("danger", "danger-tint"),
    ("warn", "warn-tint"),
]  # fmt: skip
EDGES = [("edge", "card"), ("focus", "card"), ("focus", "paper"), ("danger", "card")]


def _luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), TEXT, ids=lambda name: name)
def test_text_has_the_contrast_of_wcag_aa(palette, front, back):
    assert _contrast(palette[front], palette[back]) >= 4.5


@pytest.mark.parametrize("palette", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("front", "back"), EDGES, ids=lambda name: name)
def test_what_bounds_a_control_or_shows_focus_can_be_seen(palette, front, back):
    assert _contrast(palette[front], palette[back]) >= 3


def test_contrast_is_measured_as_wcag_defines_it():
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
