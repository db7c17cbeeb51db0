import pytest

from remit.documents import parse_yaml
from remit.repository.reach import reach_of, unreachable

AGENT = b"scopes: ['a:b.c']\nenvironments: [prod]\ntenants: [acme]\n"


@pytest.mark.parametrize(
    ("agent", "server", "says"),
    [
        (b"", b"environment: prod\nshared: true", None),
        (b"", b"environment: prod\ntenant: acme", None),
        (b"", b"environment: dev", "it is of environment `dev`"),
        (b"", b"tenant: globex\nenvironment: prod", "it is of tenant `globex`"),
        (b"regions: [eu]\n", b"region: eu", None),
        (b"regions: [eu]\n", b"region: us", "it is in region `us`"),
        (b"regions: [eu]\n", b"environment: prod", "it is in no region"),
        (b"regions: []\n", b"region: us", None),
        (b"", b"environment: [x]", None),
    ],
)
def test_a_server_is_out_of_reach_for_what_both_files_say(
    agent: bytes, server: bytes, says: str | None
) -> None:
    reach = reach_of(parse_yaml(AGENT + agent, file="a"))
    assert reach.scopes == ("a:b.c",)
    assert unreachable(reach, parse_yaml(server, file="s")) == says


def test_of_an_agent_whose_file_says_nothing_nothing_is_told() -> None:
    assert (
        unreachable(reach_of(parse_yaml(b"", file="a")), parse_yaml(b"tenant: x", file="s")) is None
    )
