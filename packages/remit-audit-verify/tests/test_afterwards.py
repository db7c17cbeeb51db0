"""What follows from the records of all logs together: which keys may have signed, and from when to when."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from remit_audit_verify.command import main
from remit_audit_verify.verify import verify_log

NEW = Ed25519PrivateKey.from_private_bytes(b"n" * 32)
CHANGED_AT = 10


class Changed:
    """A log whose key is changed at record 10: until then `old` signs, the first checkpoint after it both, then `new`."""

    def __init__(self, log) -> None:
        self.log, self.old_key = log, log.key
        self.old = str(log.verifier)
        log.key = NEW
        self.new = str(log.verifier)
        log.fill(CHANGED_AT)
        log.add("audit.key_changed", former=self.old, verifier=self.new)
        log.fill(9)

    def notes(self, *signed: tuple[int, str]) -> None:
        """Lay checkpoints: over so many records, by `old`, `new` or `both`."""
        self.log.write([])
        text = ""
        for size, by in signed:
            self.log.key = NEW if by == "new" else self.old_key
            note = self.log.note(size)
            if by == "both":
                self.log.key = NEW
                note += self.log.note(size).partition("\n\n")[2]
            text += f"{note}\n"
        (self.log.folder / "checkpoints").write_text(text)
        (self.log.folder / "log.pub").write_text(f"{self.new}\n{self.old}\n")


@pytest.fixture
def changed(make_log):
    return Changed(make_log())


@pytest.mark.parametrize("pins", [["old"], ["new"], ["old", "new"], ["new", "old"], []])
def test_after_a_change_of_keys_either_pin_is_enough(changed, pins, capsys):
    changed.notes((4, "old"), (11, "both"), (15, "new"), (20, "new"))
    given = [word for pin in pins for word in ("--key", getattr(changed, pin))]
    assert main([str(changed.log.folder), *given]) == 0, capsys.readouterr().out


@pytest.mark.parametrize("pins", [["old"], ["new"], ["old", "new"]])
def test_the_former_key_may_sign_until_the_new_one_has(changed, pins):
    keys = [getattr(changed, pin) for pin in pins]
    changed.notes((4, "old"), (12, "old"), (14, "new"), (20, "new"))
    assert verify_log(changed.log.folder, keys=keys).exit_code == 0
    changed.notes((4, "old"), (11, "both"), (13, "both"), (20, "new"))
    assert verify_log(changed.log.folder, keys=keys).exit_code == 0


@pytest.mark.parametrize("pins", [["old"], ["new"], ["old", "new"], []])
def test_a_key_that_was_replaced_signs_no_more(changed, pins):
    """Keys are changed because one may have been stolen: what the thief signs from then on is no log."""
    keys = [getattr(changed, pin) for pin in pins]
    changed.notes((4, "old"), (11, "both"), (20, "old"))
    report = verify_log(changed.log.folder, keys=keys)
    assert report.exit_code == 1
    assert any("was replaced at record 10" in one.what for one in report.streams[0].problems)


def test_the_new_key_pinned_alone_needs_to_have_signed_the_change(changed):
    changed.notes((4, "old"), (20, "old"))
    assert verify_log(changed.log.folder, keys=[changed.old]).exit_code == 0
    assert verify_log(changed.log.folder, keys=[changed.new]).exit_code == 1


def test_a_key_that_no_record_names_signs_for_nobody_who_pinned(make_log):
    log = make_log(20)
    pinned = str(log.verifier)
    log.write([10])
    first = (log.folder / "checkpoints").read_text()
    log.key = NEW
    (log.folder / "checkpoints").write_text(first + log.note(20) + "\n")
    (log.folder / "log.pub").write_text(f"{pinned}\n{log.verifier}\n")
    report = verify_log(log.folder, keys=[pinned])
    assert report.exit_code == 1
    assert report.streams[0].proven == 10
