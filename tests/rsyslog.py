"""Where rsyslog is that the tests send to, and one that listens over TLS and writes each message as a line of JSON."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Rsyslog", "find_rsyslog", "listening"]

_PLACES = ("/usr/sbin", "/sbin", "/usr/local/sbin", "/opt/homebrew/sbin")
_DRIVER = "lmnsd_ossl.so"

# What it got, message by message, with what it read of header and structured data; `%rawmsg%` is what was on the wire.
_CONFIGURATION = """
global(
  workDirectory="{folder}"
  maxMessageSize="64k"
  defaultNetstreamDriver="ossl"
  defaultNetstreamDriverCAFile="{authority}"
  defaultNetstreamDriverCertFile="{certificate}"
  defaultNetstreamDriverKeyFile="{key}"
)
module(load="imtcp" StreamDriver.Name="ossl" StreamDriver.Mode="1" StreamDriver.AuthMode="{auth}"{peers})
input(type="imtcp" port="{port}")
template(name="line" type="list" option.jsonf="on") {{
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="facility" name="syslogfacility" format="jsonf")
  property(outname="at" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="app" name="app-name" format="jsonf")
  property(outname="msgid" name="msgid" format="jsonf")
  property(outname="data" name="structured-data" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}}
action(type="omfile" file="{folder}/out" template="line" asyncWriting="off" flushOnTXEnd="on")
"""


def find_rsyslog() -> str | None:
    """The path of an `rsyslogd` with its OpenSSL driver: the one told by `REMIT_RSYSLOG`, or the machine's."""
    told = os.environ.get("REMIT_RSYSLOG")
    found = told or shutil.which("rsyslogd", path=os.pathsep.join((os.defpath, *_PLACES)))
    if found is None or not Path(found).is_file():
        return None
    drivers = [
        *Path("/usr/lib").glob(f"*/rsyslog/{_DRIVER}"),
        *Path("/usr/lib").glob(f"rsyslog/{_DRIVER}"),
    ]
    return found if drivers or told else None


@dataclass
class Rsyslog:
    """One that runs. `lines` are what it wrote, as text of JSON."""

    folder: Path
    process: subprocess.Popen[bytes]
    port: int

    def lines(self) -> list[str]:
        out = self.folder / "out"
        return out.read_text().splitlines() if out.exists() else []

    def until(self, count: int) -> list[str]:
        """What it wrote, once there is so much of it."""
        for _ in range(1_200):
            found = self.lines()
            if len(found) >= count:
                return found
            time.sleep(0.05)
        raise AssertionError(f"only {len(self.lines())} of {count} came")


@contextmanager
def listening(
    folder: Path, port: int, *, authority: Path, certificate: Path, key: Path, auth: str = "anon"
) -> Iterator[Rsyslog]:
    """An rsyslog over TLS on loopback; with `auth="x509/name"` for clients called `remit` alone."""
    program = find_rsyslog()
    assert program is not None, "no rsyslog: python scripts/find_rsyslog.py"
    folder.mkdir(exist_ok=True)
    configuration = folder / "rsyslog.conf"
    peers = "" if auth == "anon" else ' PermittedPeer=["remit"]'
    configuration.write_text(
        _CONFIGURATION.format(
            folder=folder,
            port=port,
            authority=authority,
            certificate=certificate,
            key=key,
            auth=auth,
            peers=peers,
        )
    )
    with (folder / "said").open("ab") as said:
        process = subprocess.Popen(
            [program, "-n", "-f", str(configuration), "-i", str(folder / "pid")],
            stdout=said,
            stderr=said,
        )
    try:
        yield Rsyslog(folder, process, port)
    finally:
        process.terminate()
        process.wait(10)
