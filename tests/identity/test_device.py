"""Words for a browser."""

import pytest

from remit.identity.device import device_words

LIKE_GECKO = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        (f"Mozilla/5.0 (Windows NT 10.0) {LIKE_GECKO} Chrome/140 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {LIKE_GECKO} Chrome/140 Safari/1 Edg/140", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Macintosh; Intel) AppleWebKit/605 Version/18 Safari/605", "Safari on Mac"),
        ("Mozilla/5.0 (iPhone; like Mac OS X) Version/18 Mobile Safari/604", "Safari on iPhone"),
        (f"Mozilla/5.0 (Linux; Android 15) {LIKE_GECKO} Chrome/140 Safari/1", "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("something on Linux", "Unknown browser on Linux"),
        ("<script>", "Unknown browser"),
        ("", "Unknown browser"),
        (None, "Unknown browser"),
    ],
)  # fmt: skip
def test_a_person_recognises_the_browser(user_agent, words):
    assert device_words(user_agent) == words
