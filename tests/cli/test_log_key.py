import json


def test_the_log_is_signed_by_another_key_when_that_is_asked_for(cli, folder):
    done = cli("audit", "rotate-key", "--yes")
    assert done.code == 0, done.err
    lines = {line[:9]: line[11:].strip() for line in done.out.splitlines()}
    known = (folder / "data/audit/main/log.pub").read_text().splitlines()
    assert known == [lines["until now"], lines["from now "]]
    again = json.loads(cli("audit", "rotate-key", "--yes", "--json").out)
    assert again["former"] == lines["from now "]
    keys = [
        word
        for line in (folder / "data/audit/main/log.pub").read_text().splitlines()
        for word in ("--key", line)
    ]
    assert cli("audit", "verify", "data/audit", *keys).code == 0
    for pinned in (lines["until now"], lines["from now "], again["verifier"]):
        done = cli("audit", "verify", "data/audit", "--key", pinned)
        assert done.code == 0, done.out
        assert "pin it" not in done.out
