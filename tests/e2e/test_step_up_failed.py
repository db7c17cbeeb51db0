"""Somebody who cannot prove what a request asks for: their client is told so, and the log knows what was asked and what they had."""

import tempfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urljoin, urlsplit

import httpx2
import pytest

from remit.audit import Verdict, read_events, verify_log
from remit.demo.person import Person
from remit.demo.stage import set_up
from tests.e2e.conftest import REDIRECT_URI

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]

PWD, PHR = "urn:remit:acr:pwd", "urn:remit:acr:phr"


async def test_a_log_in_that_cannot_become_strong_enough_is_refused_and_recorded():
    """No browser makes passkeys for an address without a name, and that is where this server is."""
    with tempfile.TemporaryDirectory(prefix="failed-") as folder:
        async with set_up(Path(folder)) as stage:
            dana = Person(username=stage.username, password=stage.password, keeps=lambda _: True)
            async with httpx2.AsyncClient(timeout=60) as http:
                told = {
                    "client_name": "by hand",
                    "redirect_uris": [REDIRECT_URI],
                    "token_endpoint_auth_method": "none",
                }
                client = (await http.post(f"{stage.url}/register", json=told)).json()
            challenge = urlsafe_b64encode(sha256(b"v" * 43).digest()).decode().rstrip("=")
            asked = {
                "response_type": "code", "client_id": client["client_id"], "redirect_uri": REDIRECT_URI, "state": "s",
                "resource": stage.server("crm"), "code_challenge": challenge, "code_challenge_method": "S256",
                "acr_values": PHR,
            }  # fmt: skip
            url = f"{stage.url}/authorize?{urlencode(asked)}"
            async with httpx2.AsyncClient(cookies=dana.cookies, timeout=60) as browser:
                waiting = urljoin(url, (await browser.get(url)).headers["location"])
                assert "/login" in (await browser.get(waiting)).headers["location"]
            # Beside the request that waits, they log in as well as they can.
            plain = {name: value for name, value in asked.items() if name != "acr_values"}
            await dana.walk(f"{stage.url}/authorize?{urlencode(plain)}", REDIRECT_URI)
            async with httpx2.AsyncClient(cookies=dana.cookies, timeout=60) as browser:
                back = (await browser.get(waiting)).headers["location"]
            answer = parse_qs(urlsplit(back).query)
            assert answer["error"] == ["unmet_authentication_requirements"]
            assert "code" not in answer
        events = list(read_events(stage.data / "audit"))
        (failed,) = [one for one in events if one["kind"] == "stepup.failed"]
        assert (failed["body"]["acr"], failed["body"]["got"]) == (PHR, PWD)
        assert failed["body"]["resource"] == stage.server("crm")
        assert (failed["tenant"], failed["client"]) == ("acme", client["client_id"])
        assert failed["auth"]["acr"] == PWD
        refused = [one for one in events if one["kind"] == "authorization.refused"]
        assert [one["flow"] for one in refused] == [failed["flow"]]
        assert not [one for one in events if one["kind"] == "stepup.completed"]
        assert {one["flow"] for one in events if one["kind"] == "code.issued"}.isdisjoint(
            {failed["flow"]}
        )
        assert verify_log(stage.data / "audit").verdict is Verdict.VALID
