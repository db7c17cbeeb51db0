from remit.cli.exits import ExitCode
from remit_audit_verify.cosignature import WitnessKey


def test_a_witness_shows_its_keys_which_stay_its_own(cli, folder):
    shown = cli("witness", "keys", "--name", "w.example/1").out
    assert cli("witness", "keys", "--name", "w.example/1").out == shown
    assert {WitnessKey.parse(line).name for line in shown.splitlines()} == {"w.example/1"}
    other = cli("witness", "keys", "--name", "w.example/2")
    assert other.code == ExitCode.UNAVAILABLE
    assert "those of" in other.err
