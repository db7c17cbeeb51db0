"""A receiver that we did not write: Debian's rsyslog, over TLS, with and without a certificate of ours asked for."""

import json

import pytest

from remit.audit.events import AccountDisabled
from remit.demo.stage import free_port
from remit.testing.audit_sink import HOSTILE
from tests.rsyslog import listening
from tests.sinks.certified import Authority

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
def certified(tmp_path):
    authority = Authority(tmp_path / "authority")
    certificate, key = authority.certificate("localhost")
    return authority, {"authority": authority.file, "certificate": certificate, "key": key}


async def test_rsyslog_has_every_record_as_it_is_whatever_is_in_it(
    world, write, log, certified, tmp_path
):
    authority, files = certified
    write(200)
    log.record([AccountDisabled(account_id="usr_9", reason=HOSTILE)])
    port = free_port()
    with listening(tmp_path / "rsyslog", port, **files) as rsyslog:
        world.declare(
            kind="syslog", url=f"tls://localhost:{port}", secret=None,
            options={"ca_file": str(authority.file)},
        )  # fmt: skip
        await world.until(lambda: len(rsyslog.lines()) >= 202, looks=1_000)
        got = [json.loads(line) for line in rsyslog.lines()]
    assert len(got) == 202
    contents = [json.loads(one["message"].removeprefix("\ufeff")) for one in got]
    assert [one["seq"] for one in contents] == list(range(202))
    for one, content in zip(got, contents, strict=True):
        assert f'leaf="{content["leaf"]}"' in one["data"]
        assert (one["app"], one["msgid"]) == ("remit", content["kind"])
    assert contents[-1]["body"]["account_id"] == "usr_9"


async def test_rsyslog_that_goes_away_and_comes_back_misses_nothing(
    world, write, certified, tmp_path
):
    authority, files = certified
    port = free_port()
    world.declare(
        kind="syslog", url=f"tls://localhost:{port}", secret=None, form="cef",
        options={"ca_file": str(authority.file), "timeout": "3"},
    )  # fmt: skip
    with listening(tmp_path / "rsyslog", port, **files) as rsyslog:
        write(50)
        await world.until(lambda: len(rsyslog.lines()) >= 51, looks=1_000)
    write(50, first=50)
    await world.until(lambda: world.counts.failures)
    with listening(tmp_path / "rsyslog", port, **files) as rsyslog:
        await world.until(lambda: len(_sequences(rsyslog)) >= 101, looks=2_000)
        assert _sequences(rsyslog) == set(range(101))


async def test_rsyslog_that_asks_who_we_are_is_told(world, write, certified, tmp_path):
    authority, files = certified
    certificate, key = authority.certificate("remit")
    port = free_port()
    mine = {"client_cert": str(certificate), "client_key": str(key)}
    with listening(tmp_path / "rsyslog", port, **files, auth="x509/name") as rsyslog:
        world.declare(
            kind="syslog", url=f"tls://localhost:{port}", secret=None, form="ocsf",
            options={"ca_file": str(authority.file), **mine},
        )  # fmt: skip
        write(20)
        await world.until(lambda: len(rsyslog.lines()) >= 21, looks=1_000)
        event = json.loads(json.loads(rsyslog.lines()[0])["message"].removeprefix("\ufeff"))
        assert event["metadata"]["version"] == "1.8.0"


def _sequences(rsyslog):
    return {int(one.split('seq=\\"')[1].split('\\"')[0]) for one in rsyslog.lines()}
