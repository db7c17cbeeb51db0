"""Each attack of AUDIT §1.4 against each mechanism, on a log of 10,000 records; the table in docs is made here.

W can write the log's folder; K has the log's key besides. A mechanism is what whoever checks brings along.
"""

import itertools
import json
import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit.audit import FileAuditLog, StreamSettings, Verdict, verify_log
from remit.audit.events import CallCompleted, Decided
from remit.canonical import canonical_bytes
from remit.testing.clock import FixedClock
from remit_audit_verify.clock import epoch_ms, written_ms
from remit_audit_verify.cosignature import WitnessKey, cosign
from remit_audit_verify.evidence import Evidence
from remit_audit_verify.note import Checkpoint, VerifierKey, sign_checkpoint
from remit_audit_verify.policy import Policy
from remit_audit_verify.receipts import Receipt
from remit_audit_verify.record import first_link
from remit_audit_verify.stream_files import segment_name
from remit_audit_verify.tree import Frontier, leaf_hash

ORIGIN = "example.test/main"
RECORDS = 10_000
PAGE = Path(__file__).parents[2] / "docs" / "reference" / "audit-log.md"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
WITNESS_KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)
WITNESS = WitnessKey.of("witness.test/w", WITNESS_KEY)
POLICY = Policy(witnesses={"w": WITNESS}, quorum="w")


@dataclass
class Case:
    """A log of 10,000 records, 200 of them a checkpoint's worth, the last ones not yet under one."""

    lines: list[bytes]
    sizes: list[int]
    """Of the checkpoints."""
    witnessed: dict[int, int]
    """When the witness saw which of them, in seconds."""
    kept: int = 0
    roots: dict[int, bytes] = field(default_factory=dict)


def entry_times(line: bytes) -> int:
    return epoch_ms(json.loads(line)["observed"]) // 1000


def write_records(folder: Path, count: int, *, origin=ORIGIN, key=KEY, say="ok") -> None:
    """`count` records: decisions, allowed and denied, and outcomes."""
    clock = FixedClock()
    log = FileAuditLog(StreamSettings(folder=folder, origin=origin), key, clock=clock)
    numbers = itertools.count()
    left = count - 2
    while left:
        batch = []
        for n in itertools.islice(numbers, min(left, 100)):
            outcome = "allow" if n % 10 else "deny"
            common = {"decision_id": f"dec_{n - n % 2}", "server": "crm", "method": "tools/call"}
            if n % 2:
                batch.append(CallCompleted(**common, name="read", outcome=say))
            else:
                batch.append(Decided(**common, name="read", outcome=outcome, reason="allowed"))
        clock.advance(1.0)
        log.record(batch)
        left -= len(batch)
    log.close()


def lines_in(folder: Path) -> list[bytes]:
    return [
        line for path in sorted(folder.glob("*.jsonl")) for line in path.read_bytes().splitlines()
    ]


@pytest.fixture(scope="module")
def case(tmp_path_factory) -> Case:
    folder = tmp_path_factory.mktemp("written") / "main"
    write_records(folder, RECORDS)
    lines = lines_in(folder)
    assert len(lines) == RECORDS
    sizes = list(range(200, RECORDS - 100, 200))
    seen = {size: entry_times(lines[size - 1]) + 1 for size in sizes[4::5]}
    return Case(lines, sizes, seen, kept=5_000)


@pytest.fixture(scope="module")
def other(tmp_path_factory) -> list[bytes]:
    folder = tmp_path_factory.mktemp("other") / "other"
    write_records(folder, RECORDS, origin="example.test/other", say="tool_error")
    return lines_in(folder)


def chained(lines, start=0, origin=ORIGIN) -> list[bytes]:
    done = list(lines[:start])
    previous = leaf_hash(done[-1]).hex() if done else first_link(origin)
    for line in lines[start:]:
        done.append(canonical_bytes({**json.loads(line), "seq": len(done), "prev": previous}))
        previous = leaf_hash(done[-1]).hex()
    return done


def roots(lines, sizes) -> dict[int, bytes]:
    tree, found, wanted = Frontier(), {}, set(sizes)
    for line in lines:
        tree.append(leaf_hash(line))
        if tree.size in wanted:
            found[tree.size] = tree.root()
    return found


def notes(lines, sizes, key=KEY, seen=None) -> dict[int, str]:
    found = {}
    for size, root in roots(lines, sizes).items():
        checkpoint = Checkpoint(ORIGIN, size, root)
        found[size] = sign_checkpoint(checkpoint, key)
        if seen is not None:
            found[size] += cosign(checkpoint, WITNESS.name, WITNESS_KEY, time=seen[size])
    return found


def lay(folder: Path, lines, checkpoints, witnessed=(), *, key=KEY) -> None:
    """A log's folder, with these files."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    middle = 6_000
    for first, some in ((0, lines[:middle]), (middle, lines[middle:])):
        if some:
            (folder / segment_name(first)).write_bytes(b"".join(line + b"\n" for line in some))
    (folder / "checkpoints").write_text("".join(f"{note}\n" for note in checkpoints))
    (folder / "witnessed").write_text("".join(f"{note}\n" for note in witnessed))
    (folder / "log.pub").write_text(f"{VerifierKey.of(ORIGIN, key)}\n")


class Scene:
    """The honest log, what an attacker makes of it, and what everybody else holds."""

    def __init__(self, case: Case, other: list[bytes], folder: Path) -> None:
        self.case, self.other, self.folder = case, other, folder
        self.notes = notes(case.lines, case.sizes)
        self.seen = notes(case.lines, case.witnessed, seen=case.witnessed)
        tail = range(RECORDS - 40, RECORDS, 7)
        self.receipts = tuple(
            Receipt(ORIGIN, n, leaf_hash(case.lines[n])) for n in [*range(3, RECORDS, 97), *tail]
        )

    def lay(self, lines, *, notes=None, seen=None, key=KEY) -> None:
        checkpoints = self.notes if notes is None else notes
        witnessed = self.seen if seen is None else seen
        lay(self.folder, lines, checkpoints.values(), witnessed.values(), key=key)

    def forged(self, lines, *, since=0, key=KEY) -> None:
        """Signed again with the log's key; the witness does not sign again what it did not see."""
        new = {
            size: note
            for size, note in notes(lines, [*self.case.sizes, len(lines)], key).items()
            if size > since
        }
        kept = {size: note for size, note in self.notes.items() if size <= since}
        seen = {size: note for size, note in self.seen.items() if size <= since}
        self.lay(lines, notes={**kept, **new}, seen=seen, key=key)


def changed(lines, number, old=b'"outcome":"deny"', new=b'"outcome":"allow"') -> list[bytes]:
    lines = list(lines)
    assert old in lines[number], lines[number]
    lines[number] = lines[number].replace(old, new)
    return lines


def denied(lines, number) -> int:
    """The first refusal from record `number` on."""
    return next(n for n in range(number, len(lines)) if b'"outcome":"deny"' in lines[n])


ATTACKS = {}


def attack(words: str, who: str):
    def add(function):
        ATTACKS[words] = (who, function)
        return function

    return add


@attack("flip one bit of a record", "W")
def _(scene, lines):
    at = 7_777
    line = bytearray(lines[at])
    line[len(line) // 2] ^= 1
    scene.lay([*lines[:at], bytes(line), *lines[at + 1 :]])
    return at


@attack("make a refusal a permission", "W")
def _(scene, lines):
    at = denied(lines, 7_000)
    scene.lay(changed(lines, at))
    return at


@attack("delete a record", "W")
def _(scene, lines):
    scene.lay([*lines[:7_000], *lines[7_001:]])
    return 7_000


@attack("swap two records", "W")
def _(scene, lines):
    scene.lay([*lines[:7_000], lines[7_001], lines[7_000], *lines[7_002:]])
    return 7_000


@attack("insert a record", "W")
def _(scene, lines):
    scene.lay([*lines[:7_000], lines[5_000], *lines[7_000:]])
    return 7_000


@attack("splice in records of another log", "W")
def _(scene, lines):
    scene.lay([*lines[:7_000], *scene.other[7_000:7_100], *lines[7_100:]])
    return 7_000


@attack("rewrite a record and recompute all links", "W")
def _(scene, lines):
    at = denied(lines, 7_000)
    scene.lay(chained(changed(lines, at), at))
    return at


@attack("drop the tail that no checkpoint signs yet", "W")
def _(scene, lines):
    scene.lay(lines[: scene.case.sizes[-1]])
    return scene.case.sizes[-1]


@attack("drop a tail under a checkpoint, and not the checkpoint", "W")
def _(scene, lines):
    scene.lay(lines[:9_000])
    return 9_000


@attack("drop a tail, and the checkpoints that sign it, after the kept one", "W")
def _(scene, lines):
    size = 8_400
    upto = {n: note for n, note in scene.notes.items() if n <= size}
    scene.lay(lines[:size], notes=upto, seen={n: s for n, s in scene.seen.items() if n <= size})
    return size


@attack("restore an old backup of everything", "W")
def _(scene, lines):
    size = 3_000
    upto = {n: note for n, note in scene.notes.items() if n <= size}
    scene.lay(lines[:size], notes=upto, seen={n: s for n, s in scene.seen.items() if n <= size})
    return size


@attack("replace log, checkpoints and key by others", "W")
def _(scene, lines):
    at = denied(lines, 3_000)
    scene.forged(chained(changed(lines, at), at), key=OTHER_KEY)
    return 0


@attack("rewrite and sign everything again", "K")
def _(scene, lines):
    at = denied(lines, 3_000)
    scene.forged(chained(changed(lines, at), at))
    return at


@attack("sign again only what came after the kept checkpoint", "K")
def _(scene, lines):
    at = denied(lines, 6_000)
    scene.forged(chained(changed(lines, at), at), since=5_000)
    return at


@attack("fork: show this auditor another end than the witness saw", "K")
def _(scene, lines):
    at = denied(lines, 8_500)
    scene.forged(chained([*changed(lines, at)[:9_900]], at), since=8_000)
    return at


@attack("append now, and claim that it was eight minutes ago", "K")
def _(scene, lines):
    late = json.loads(lines[-1])
    late["observed"] = late["time"] = written_ms(epoch_ms(late["time"]) - 480_000)
    scene.forged(chained([*lines, canonical_bytes(late)], RECORDS), since=9_800)
    return RECORDS


@attack("insert in the past, and back-date the checkpoints", "K")
def _(scene, lines):
    scene.forged(chained([*lines[:6_000], lines[5_999], *lines[6_000:]], 6_000), since=5_000)
    return 6_000


MECHANISMS = {
    "links alone": "the records, without key and checkpoints",
    "signed": "the log's key, pinned",
    "kept": "and a checkpoint kept elsewhere",
    "witness": "and a witness: a policy, and its newest note",
    "receipts": "and receipts",
}


def found(scene: Scene, mechanism: str):
    """What somebody finds who has that much."""
    if mechanism == "links alone":
        for name in ("checkpoints", "witnessed", "log.pub"):
            (scene.folder / name).unlink()
        return verify_log(scene.folder)
    keys = [str(VerifierKey.of(ORIGIN, KEY))]
    since, evidence = [], {}
    place = list(MECHANISMS).index(mechanism)
    if place >= 2:
        since.append(scene.notes[scene.case.kept])
    if place >= 3:
        since.append(scene.seen[max(scene.seen)])
        evidence["policy"] = POLICY
    if place >= 4:
        evidence["receipts"] = scene.receipts
    return verify_log(scene.folder, keys=keys, since=since, evidence=Evidence(**evidence))


@pytest.fixture(scope="module")
def table(case, other, tmp_path_factory) -> dict[tuple[str, str], tuple[int, object]]:
    """What is found of every attack with every mechanism."""
    scene = Scene(case, other, tmp_path_factory.mktemp("attacked") / "main")
    results = {}
    for words, (_, act) in ATTACKS.items():
        at = act(scene, case.lines)
        for mechanism in [*list(MECHANISMS)[1:], "links alone"]:
            results[words, mechanism] = (at, found(scene, mechanism))
    return results


def mark(report) -> str:
    return "detected" if report.verdict is Verdict.TAMPERED else "**not**"


def rendered(table) -> str:
    rows = [
        f"| attack | by | {' | '.join(MECHANISMS)} |",
        f"|---|---|{'---|' * len(MECHANISMS)}",
    ]
    for words, (who, _) in ATTACKS.items():
        marks = [mark(table[words, mechanism][1]) for mechanism in MECHANISMS]
        rows.append(f"| {words} | {who} | {' | '.join(marks)} |")
    return "\n".join(rows)


def test_the_table_in_the_docs_is_what_is_found(table):
    assert rendered(table) in PAGE.read_text()


def test_with_all_mechanisms_every_attack_is_detected(table):
    missed = [words for words in ATTACKS if mark(table[words, "receipts"][1]) != "detected"]
    assert missed == []


@pytest.mark.parametrize("words", ATTACKS)
def test_the_first_bad_record_is_named_no_later_than_where_it_is(table, words):
    """And what is called provably good is."""
    at, report = table[words, "receipts"]
    (stream,) = report.streams
    numbers = [one.sequence for one in stream.problems if one.sequence is not None]
    if words.startswith("replace log"):
        assert "key" in {one.kind for one in stream.problems}
        assert stream.last_good is None
        return
    assert numbers[0] <= at + 1
    assert stream.last_good is None or stream.last_good < at


def test_without_an_attack_nothing_is_found(case, other, tmp_path):
    scene = Scene(case, other, tmp_path / "main")
    scene.lay(case.lines)
    for mechanism in list(MECHANISMS)[1:]:
        report = found(scene, mechanism)
        assert report.exit_code == 0, report
    (stream,) = report.streams
    assert (stream.records, stream.proven) == (RECORDS, case.sizes[-1])
    assert stream.witnessed == max(case.witnessed)
    assert stream.receipts == len(scene.receipts)
    full = verify_log(tmp_path / "main", evidence=Evidence(full=True))
    assert full.exit_code == 0
    assert full.streams[0].proven == stream.proven


@pytest.mark.parametrize("part", range(4))
def test_200_flipped_bits_are_each_found_where_they_are(case, other, tmp_path, part):
    seed = random.Random(f"flips {part}")
    scene = Scene(case, other, tmp_path / "main")
    scene.lay(case.lines)
    keys = [str(VerifierKey.of(ORIGIN, KEY))]
    for _ in range(50):
        names = [segment_name(0), segment_name(6_000), "checkpoints", "log.pub"]
        path = scene.folder / seed.choices(names, [6, 4, 1, 0.2])[0]
        held = path.read_bytes()
        covered = len(held)
        if path.name == segment_name(6_000):  # of the rest, links hold all but the last record
            covered = sum(len(line) + 1 for line in case.lines[6_000 : RECORDS - 1])
        at = seed.randrange(covered)
        data = bytearray(held)
        data[at] ^= 1 << seed.randrange(8)
        path.write_bytes(data)
        report = verify_log(scene.folder, keys=keys)
        assert report.exit_code == 1, (path.name, at)
        if path.suffix == ".jsonl":
            number = int(path.stem) + held[:at].count(b"\n")
            problem = report.streams[0].problems[0]
            assert problem.sequence is not None
            assert problem.sequence <= number <= max(problem.through or 0, problem.sequence + 1)
        path.write_bytes(held)
    assert verify_log(scene.folder, keys=keys).exit_code == 0


@pytest.mark.parametrize("part", range(4))
def test_200_spliced_records_are_each_found(case, other, tmp_path, part):
    seed = random.Random(f"splices {part}")
    scene = Scene(case, other, tmp_path / "main")
    scene.lay(case.lines)
    (scene.folder / segment_name(6_000)).unlink()
    whole = scene.folder / segment_name(0)
    keys = [str(VerifierKey.of(ORIGIN, KEY))]
    for _ in range(50):
        at = seed.randrange(1, case.sizes[-1] - 1)
        count = seed.randrange(1, 20)
        strange = seed.choice([case.lines, scene.other])
        begin = seed.randrange(RECORDS - count)
        if (strange, begin) == (case.lines, at):
            continue
        inserted = strange[begin : begin + count]
        replaced = seed.choice([0, count])
        lines = [*case.lines[:at], *inserted, *case.lines[at + replaced :]]
        if seed.random() < 0.3:
            lines = chained(lines, at)
        whole.write_bytes(b"".join(line + b"\n" for line in lines))
        report = verify_log(scene.folder, keys=keys)
        assert report.exit_code == 1, (at, count, begin, replaced)
        problem = report.streams[0].problems[0]
        assert problem.sequence is not None
        assert problem.sequence <= at + count


@pytest.mark.parametrize("part", range(5))
def test_50_clean_logs_raise_no_alarm(tmp_path, part):
    seed = random.Random(f"clean {part}")
    for n in range(10):
        folder = tmp_path / f"log{n}"
        write_records(folder, seed.randrange(2, 700), say=seed.choice(["ok", "error"]))
        for full in (False, True):
            report = verify_log(folder, evidence=Evidence(full=full))
            assert report.exit_code == 0, report
            assert report.streams[0].problems == []
