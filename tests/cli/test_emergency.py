import pytest

from remit.cli.exits import ExitCode
from tests.cli.test_access import APPROVALS


@pytest.fixture(autouse=True)
def _declared(folder):
    (folder / "policy" / "approvals.yaml").write_text(APPROVALS)


def test_none_was_taken(cli):
    assert cli("emergency", "list").out == ""
    assert cli("emergency", "list", "--unreviewed", "--json").out.strip() == "[]"


def test_the_socket_takes_none_and_reviews_none(cli):
    """Whoever opens it proved nothing of who they are."""
    taken = cli("emergency", "take", "break-glass", "--duration", "10m", "--reason", "down")
    assert taken.code == ExitCode.FOUND_WRONG
    reviewed = cli("emergency", "review", "acc_1", "justified", "--reason", "it was")
    assert reviewed.code == ExitCode.FOUND_WRONG
    assert "logged in" in reviewed.err


def test_a_review_says_one_of_two_things(cli):
    assert cli("emergency", "review", "acc_1", "perhaps", "--reason", "x").code == ExitCode.USAGE
