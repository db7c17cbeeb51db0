from remit.cli.checkup import Level
from remit.cli.checkup.finding import down, fine, note, unsafe


def test_what_is_not_fine_comes_with_its_mend():
    assert (fine("disk", "room").level, fine("disk", "room").mend) == (Level.FINE, "")
    assert down("server", "silent", mend="start it").level is Level.DOWN
    assert note("user", "root", mend="another").level is Level.NOTE
    assert unsafe("disk", "full", mend="make room").mend == "make room"
