"""`remit-audit-verify`: a log in, a finding out, and an exit status for a script.

    remit-audit-verify LOG            is it the log that was written?
    remit-audit-verify BUNDLE.zip     are the records of an export what their logs have?
    remit-audit-verify prove LOG SEQ  one record, with all that shows that it is in the log
    remit-audit-verify check FILE     does such a proof hold?

Exit status: 0 valid, 1 tampered with, 2 not enough evidence, 3 older than `--max-age`; 64 when the
command cannot be understood, or what is handed over cannot be read; 130 when it was interrupted. Whatever the files
hold, it ends, with one of these; what nobody foresaw is not enough evidence.
"""

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NoReturn, TextIO

from remit_audit_verify.bundle import BadBundleError, is_bundle, verify_bundle
from remit_audit_verify.errors import VerifyError
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.files import read_given
from remit_audit_verify.given import (
    MAX_GIVEN,
    read_age,
    read_kept,
    read_keys,
    read_policy,
    read_receipt_files,
    read_root_file,
)
from remit_audit_verify.note import VerifierKey
from remit_audit_verify.proof import BadProofError, UnprovenError, check_proof, parse_proof, prove
from remit_audit_verify.report import Verdict
from remit_audit_verify.saying import VERDICTS, printable, render_report, report_as_json
from remit_audit_verify.terminal import Bar, painted
from remit_audit_verify.verify import verify_log

__all__ = ["main"]

USAGE: Final = 64
_INTERRUPTED: Final = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the exit status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    given = list(sys.argv[1:] if arguments is None else arguments)
    verb = given.pop(0) if given and given[0] in _VERBS else "verify"
    try:
        return _VERBS[verb](given)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except (OSError, UnicodeDecodeError, VerifyError) as error:
        detail = error.detail if isinstance(error, VerifyError) else _reason(error)
        _say(f"remit-audit-verify: {printable(detail)}", sys.stderr)
        return USAGE
    except Exception as error:  # noqa: BLE001  a door: no file may make this end without an answer
        _say(f"remit-audit-verify: cannot tell: {type(error).__name__}", sys.stderr)
        return int(Verdict.INCOMPLETE)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """A status of its own: 2 means something else here."""
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _verify(given: Sequence[str]) -> int:
    options = _verify_options().parse_args(given)
    evidence = Evidence(
        policy=read_policy(options.policy),
        receipts=read_receipt_files(options.receipt),
        max_age=options.max_age,
        now=int(time.time()),
        roots=read_root_file(options.timestamps),
        full=options.full,
        workers=options.workers or os.cpu_count() or 1,
    )
    since = read_kept(options.since)
    bar = Bar(shown=False if options.json else None)
    try:
        keys = read_keys(options.key)
        if is_bundle(options.log):
            if since:
                raise BadBundleError("`--since` is for a whole log, not for a bundle")
            report = verify_bundle(options.log, keys=keys, evidence=evidence, progress=bar.show)
        else:
            report = verify_log(
                options.log, keys=keys, since=since, evidence=evidence, progress=bar.show
            )
    finally:
        bar.close()
    if options.json:
        _say(json.dumps(report_as_json(report), indent=2))
    else:
        _say(painted(render_report(report), VERDICTS))
    return report.exit_code


def _verify_options() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="remit-audit-verify",
        description="Check an audit log from its files alone: offline, trusting nothing in them.",
        epilog="Exit status: 0 valid, 1 tampered with, 2 not enough evidence, 3 stale."
        " Also: `remit-audit-verify prove LOG SEQ`, `remit-audit-verify check FILE`.",
    )
    add = parser.add_argument
    add("log", type=Path, metavar="LOG", help="a log's folder, a folder of logs, or an export")
    _add_trust(parser)
    add("--since", type=Path, metavar="FILE", action="append", default=[],
        help="a checkpoint that you kept, which the log must continue; may be repeated")  # fmt: skip
    add("--receipt", type=Path, metavar="FILE", action="append", default=[],
        help="receipts that you kept, as JSON or JSON lines; may be repeated")  # fmt: skip
    add("--max-age", type=_an_age, metavar="AGE",
        help="how old the newest proof may be: `90`, `15m`, `6h`, `2d`")  # fmt: skip
    add("--timestamps", type=Path, metavar="FILE",
        help="certificates (PEM) of time-stamping authorities that you believe")  # fmt: skip
    add("--full", action="store_true",
        help="parse every record and compare it with its canonical form, not only hash it")  # fmt: skip
    add("--workers", type=int, metavar="N", help="processes that read; one for each processor")
    add("--json", action="store_true", help="the finding as JSON")
    return parser


def _prove(given: Sequence[str]) -> int:
    parser = _Parser(
        prog="remit-audit-verify prove", description="Show one record without the rest."
    )
    parser.add_argument("log", type=Path, metavar="LOG", help="the log's folder")
    parser.add_argument("sequence", type=int, metavar="SEQ", help="the record's number")
    parser.add_argument("-o", "--output", type=Path, metavar="FILE", help="else standard output")
    options = parser.parse_args(given)
    try:
        proof = str(prove(options.log, options.sequence))
    except BadProofError as error:
        _say(f"remit-audit-verify: {error.detail}", sys.stderr)
        return int(Verdict.INCOMPLETE)
    if options.output is None:
        sys.stdout.write(proof)
    else:
        options.output.write_text(proof, encoding="utf-8")
    return 0


def _check(given: Sequence[str]) -> int:
    parser = _Parser(prog="remit-audit-verify check", description="Does a proof hold?")
    parser.add_argument("proof", type=Path, metavar="FILE", help="a `.tlog-proof`")
    parser.add_argument(
        "--record", type=Path, metavar="FILE", help="the record, if it is not in it"
    )
    _add_trust(parser)
    options = parser.parse_args(given)
    policy = read_policy(options.policy)
    keys = [VerifierKey.parse(key) for key in read_keys(options.key)]
    if not keys and not policy.logs:
        parser.error("whose log? hand over its key with --key, or a --policy that has it")
    held = read_given(options.record, MAX_GIVEN) if options.record else None
    record = None if held is None else held.removesuffix(b"\n")
    try:
        proof = parse_proof(read_given(options.proof, MAX_GIVEN).decode())
        proven = check_proof(proof, keys=keys, policy=policy, record=record)
    except UnprovenError as error:
        _say(f"not enough evidence: {printable(error.detail)}")
        return int(Verdict.INCOMPLETE)
    except BadProofError as error:
        _say(f"does not hold: {printable(error.detail)}")
        return int(Verdict.TAMPERED)
    where = printable(proven.log)
    _say(f"holds: record {proven.index} of {where}, of {proven.size:,} records")
    if proven.witnessed.names:
        _say(printable(f"witnessed by {', '.join(proven.witnessed.names)}"))
    _say(printable(proven.record.decode(errors="replace")))
    return 0


_VERBS: Final = {"verify": _verify, "prove": _prove, "check": _check}


def _say(text: str, stream: TextIO | None = None) -> None:
    (sys.stdout if stream is None else stream).write(f"{text}\n")


def _add_trust(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", metavar="KEY", action="append", default=[],
        help="the log's verifier key, or a file with it (`log.pub`), that you kept; may be repeated")  # fmt: skip
    parser.add_argument("--policy", type=Path, metavar="FILE",
        help="a tlog-policy file: which logs and witnesses you believe, and how many of them")  # fmt: skip


def _an_age(text: str) -> int:
    try:
        return read_age(text)
    except VerifyError as error:
        raise argparse.ArgumentTypeError(error.detail) from error


def _reason(error: Exception) -> str:
    if isinstance(error, OSError):
        told = error.strerror or type(error).__name__
        return told if error.filename is None else f"{error.filename}: {told}"
    return "what was handed over is no text"
