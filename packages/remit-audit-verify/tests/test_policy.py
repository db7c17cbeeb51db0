import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify.cosignature import BadCosignatureError, WitnessKey, cosign
from remit_audit_verify.note import Checkpoint, VerifierKey, parse_checkpoint, sign_checkpoint
from remit_audit_verify.policy import NO_POLICY, BadPolicyError, parse_policy

LOG_KEY = Ed25519PrivateKey.from_private_bytes(b"l" * 32)
LOG = VerifierKey.of("example.test/log", LOG_KEY)
NAMES = ("X1", "X2", "X3", "Y1", "Y2", "Y3")
KEYS = {name: Ed25519PrivateKey.from_private_bytes(name.encode() * 16) for name in NAMES}
WITNESSES = {name: WitnessKey.of(f"{name.lower()}.test", key) for name, key in KEYS.items()}
LINES = [f"witness {name} {key}" for name, key in WITNESSES.items()]
EXAMPLE = "\n".join([
    "# an example of the specification",
    f"log {LOG}",
    "",
    *LINES,
    "group X-witnesses 2 X1 X2 X3",
    "group \t Y-witnesses  any Y1 Y2 Y3 ",
    "group X-and-Y all X-witnesses Y-witnesses",
    "quorum X-and-Y",
    "",
])  # fmt: skip
CHECKPOINT = Checkpoint("example.test/log", 20, b"r" * 32)


def signed(*names, time=1_000):
    note = sign_checkpoint(CHECKPOINT, LOG_KEY)
    for place, name in enumerate(names):
        note += cosign(CHECKPOINT, WITNESSES[name].name, KEYS[name], time=time + place)
    return parse_checkpoint(note)


@pytest.mark.parametrize(
    ("names", "enough"),
    [
        ((), False),
        (("X1", "X2"), False),
        (("Y1", "Y2", "Y3"), False),
        (("X1", "Y1"), False),
        (("X1", "X1", "Y1"), False),
        (("X1", "X2", "Y3"), True),
        (("X3", "X1", "Y1", "Y2"), True),
        (NAMES, True),
    ],
)
def test_the_example_of_the_specification(names, enough):
    judged = parse_policy(EXAMPLE).judge(signed(*names))
    assert judged.enough is enough
    assert judged.names == tuple(sorted(set(names)))
    assert (judged.time is not None) is enough


def test_a_quorum_stands_when_the_last_whom_it_needs_has_signed():
    policy = parse_policy(EXAMPLE)
    assert policy.judge(signed("X1", "X2", "Y1")).time == 1_002
    assert policy.judge(signed("Y1", "X1", "X2", "X3")).time == 1_002


def test_without_a_quorum_nobody_is_needed():
    policy = parse_policy(f"log {LOG}\nquorum none\n")
    assert not policy.demands
    assert policy.judge(signed()).enough
    assert not NO_POLICY.demands


def test_one_witness_can_be_the_quorum():
    policy = parse_policy(f"{LINES[0]}\nquorum X1")
    assert policy.judge(signed("X1")).enough
    assert not policy.judge(signed("X2")).enough


def test_witnesses_that_are_not_listed_are_passed_over():
    policy = parse_policy(f"{LINES[0]}\nquorum X1")
    assert policy.judge(signed("Y1", "X1")).names == ("X1",)


def test_a_listed_witness_whose_signature_does_not_hold_spoils_the_note():
    policy = parse_policy(f"{LINES[0]}\n{LINES[1]}\ngroup g any X1 X2\nquorum g")
    line = cosign(Checkpoint("example.test/log", 21, b"r" * 32), "x2.test", KEYS["X2"], time=1)
    note = sign_checkpoint(CHECKPOINT, LOG_KEY)
    note += cosign(CHECKPOINT, "x1.test", KEYS["X1"], time=1) + line
    with pytest.raises(BadCosignatureError):
        policy.judge(parse_checkpoint(note))


@pytest.mark.parametrize(
    ("lines", "about"),
    [
        ([], "no quorum"),
        ([LINES[0]], "no quorum"),
        (["quorum X1"], "not defined"),
        (["quorum none", "quorum none"], "second"),
        (["quorum"], "neither"),
        (["quorum none none"], "neither"),
        (["witness none " + str(WITNESSES["X1"]), "quorum none"], "taken"),
        ([LINES[0], LINES[0], "quorum none"], "taken"),
        ([LINES[0], f"witness other {WITNESSES['X1']}", "quorum none"], "twice"),
        ([f"log {LOG}", f"log {LOG}", "quorum none"], "twice"),
        ([f"log {WITNESSES['X1']}", "quorum none"], "Ed25519"),
        ([f"witness w {LOG}", "quorum none"], "witness's key"),
        ([LINES[0], "group g 0 X1", "quorum g"], "no 0 of 1"),
        ([LINES[0], "group g 2 X1", "quorum g"], "no 2 of 1"),
        ([LINES[0], "group g some X1", "quorum g"], "threshold"),
        ([LINES[0], "group g \u0662 X1", "quorum g"], "threshold"),
        ([LINES[0], "group g all", "quorum g"], "neither"),
        ([LINES[0], "group g all g", "quorum g"], "not defined"),
        (["group g all X1", LINES[0], "quorum g"], "not defined"),
        ([LINES[0], "group g all none", "quorum g"], "not defined"),
        ([LINES[0], "group g all X1 X1", "quorum g"], "twice"),
        ([LINES[0], "group g all X1", "group h all X1", "quorum g"], "twice"),
        ([LINES[0], "group X1 all X1", "quorum X1"], "taken"),
        (["quorum none\r"], "control"),
        (["quorum\u0000 none"], "control"),
        (["Quorum none"], "neither"),
    ],
)
def test_a_policy_that_could_be_read_in_two_ways_is_refused(lines, about):
    with pytest.raises(BadPolicyError, match=about):
        parse_policy("\n".join(lines))


def test_the_line_that_is_wrong_is_named():
    with pytest.raises(BadPolicyError, match="line 3: "):
        parse_policy(f"# a comment\n{LINES[0]}\nquorum X2\n")


def test_urls_are_passed_over():
    policy = parse_policy(f"log {LOG} https://log.test\n{LINES[0]} https://w.test\nquorum X1\n")
    assert policy.logs == (LOG,)
