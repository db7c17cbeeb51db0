from remit.cli.exits import ExitCode
from remit.signer.desk import SignerDesk
from remit.signer.state import SignerState
from remit_audit_verify.tree import Frontier


def test_the_keys_of_a_log_are_shown_and_none_is_made_by_asking(cli, folder):
    desk = SignerDesk(SignerState(folder / "signer"))
    verifier = desk.verifiers("remit/main")[0]
    assert cli("signer", "keys", "remit/main", "--state", "signer").out == f"{verifier}\n"
    unknown = cli("signer", "keys", "remit/other", "--state", "signer")
    assert unknown.code == ExitCode.FOUND_WRONG
    assert not (folder / "signer" / "remit%2Fother.key").exists()


def test_a_log_that_was_set_back_is_believed_once_when_that_is_said(cli, folder):
    state = SignerState(folder / "signer")
    desk = SignerDesk(state)
    desk.verifiers("remit/main")
    desk.sign("remit/main", Frontier(), [b"a" * 32] * 5)
    assert (
        "believed once" in cli("signer", "accept", "remit/main", "--state", "signer", "--yes").out
    )
    again = SignerDesk(SignerState(folder / "signer"))
    again.resume("remit/main", Frontier(), [b"a" * 32] * 3)
    unknown = cli("signer", "accept", "remit/other", "--state", "signer", "--yes")
    assert unknown.code == ExitCode.FOUND_WRONG


def test_nothing_is_believed_behind_the_back_of_a_signer_that_runs(cli, folder):
    """It has the tree in its memory, and would go on with that."""
    state = SignerState(folder / "signer")
    desk = SignerDesk(state)
    desk.verifiers("remit/main")
    desk.sign("remit/main", Frontier(), [b"a" * 32] * 5)
    with state.held():
        done = cli("signer", "accept", "remit/main", "--state", "signer", "--yes")
        second = cli("signer", "serve", "--socket", "s", "--state", "signer")
    assert done.code == second.code == ExitCode.UNAVAILABLE
    assert "a signer runs on" in done.err
    assert "stop the signer" in done.err
    assert SignerState(folder / "signer").tree("remit/main").size == 5
    assert not (folder / "s").exists()


def test_a_user_that_is_not_there_is_not_let_in(cli, folder):
    done = cli("signer", "serve", "--socket", "s", "--allow", "nobody-of-that-name")
    assert done.code != 0
    assert not (folder / "s").exists()
