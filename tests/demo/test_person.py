import pytest

from remit.demo.person import Person, UnexpectedPageError, read_forms

LOGIN = """<form action="/login" method="post"><input type="hidden" name="csrf_token" value="t">
<input name="username"><input type="password" name="password"><button>Log in</button></form>"""
CONSENT = """<form action="/consent" method="post"><input type="hidden" name="request" value="r">
<label><input type="checkbox" name="scope" value="a:b.read" checked></label>
<label><input type="checkbox" name="scope" value="a:b.write" checked></label>
<input type="checkbox" name="scope" value="a:b.admin" disabled>
<button name="decision" value="refuse">Refuse</button>
<button name="decision" value="allow">Allow</button></form>"""
CALLBACK = "http://127.0.0.1:1/callback"
HTML = {"content-type": "text/html"}


def _somebody(**opinion) -> Person:
    given = {"keeps": lambda _: True, **opinion}
    return Person(username="dana", password="secret", **given)


def test_a_form_is_read_with_its_fields_boxes_and_buttons():
    (form,) = read_forms(CONSENT)
    assert form.action == "/consent"
    assert form.fields == [("request", "r")]
    assert form.boxes == [("scope", "a:b.read"), ("scope", "a:b.write")]
    assert form.buttons == [("decision", "refuse"), ("decision", "allow")]


def test_what_is_disabled_or_has_no_name_is_not_sent():
    (form,) = read_forms(
        '<form><input name="a" disabled><input value="b"><button>go</button></form>'
    )
    assert form.names == set()
    assert form.buttons == []


def test_fields_outside_a_form_belong_to_nobody():
    assert read_forms('<input name="stray"><p>no form</p>') == []


def test_two_forms_of_a_page_are_kept_apart():
    first, second = read_forms(LOGIN + CONSENT)
    assert "password" in first.names
    assert "scope" not in first.names
    assert "scope" in second.names


class Pages:
    """An authorization server of two pages, which remembers what was posted."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def answer(self, method, path):
        if method == "GET":
            return 200, HTML, CONSENT if path == "/ask" else LOGIN
        if path == "/login":
            return 303, {"location": "/ask"}, ""
        return 303, {"location": f"{CALLBACK}?code=c"}, ""


async def test_a_person_logs_in_consents_and_ends_at_the_callback(serving):
    said = []
    async with serving(Pages().answer) as url:
        person = _somebody(tell=said.append)
        assert await person.walk(f"{url}/authorize", CALLBACK) == f"{CALLBACK}?code=c"
    assert said == ["logs in", "reads the consent page, allows a:b.read, a:b.write"]


async def test_what_a_person_does_not_keep_is_told_as_withheld(serving):
    said = []
    async with serving(Pages().answer) as url:
        await _somebody(keeps=lambda s: s != "a:b.write", tell=said.append).walk(url, CALLBACK)
    assert said[-1] == "reads the consent page, allows a:b.read, withholds a:b.write"


async def test_who_keeps_nothing_refuses(serving):
    said = []
    async with serving(Pages().answer) as url:
        await _somebody(keeps=lambda _: False, tell=said.append).walk(url, CALLBACK)
    assert said[-1] == "reads the consent page and refuses"


async def test_a_page_without_a_form_is_no_way_on(serving):
    async with serving(lambda *_: (503, HTML, "<p>sorry")) as url:
        with pytest.raises(UnexpectedPageError, match="status 503 at /authorize"):
            await _somebody().walk(f"{url}/authorize", CALLBACK)


async def test_a_log_in_that_leads_to_itself_is_given_up(serving):
    async with serving(lambda *_: (200, HTML, LOGIN)) as url:
        with pytest.raises(UnexpectedPageError, match="never came to an end"):
            await _somebody().walk(url, CALLBACK)


async def test_a_consent_page_that_cannot_be_refused_is_a_mistake(serving):
    page = CONSENT.replace('value="refuse"', 'value="later"')
    async with serving(lambda *_: (200, HTML, page)) as url:
        with pytest.raises(UnexpectedPageError, match="no button"):
            await _somebody(keeps=lambda _: False).walk(url, CALLBACK)


async def test_only_the_very_redirect_uri_ends_the_walk(serving):
    """`/callback-of-somebody` begins like the redirect URI and is not it."""

    def answer(method, path):
        if path == "/begin":
            return 303, {"location": "/callback-of-somebody"}, ""
        return 200, HTML, "<p>another page"

    async with serving(answer) as url:
        with pytest.raises(UnexpectedPageError):
            await _somebody().walk(f"{url}/begin", f"{url}/callback")
