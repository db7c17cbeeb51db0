from remit.cli.checkup import Level
from remit.cli.checkup.exposure import examine_settings, is_production
from remit.settings import load_settings


def found(**flags: object) -> dict[str, Level]:
    loaded = load_settings(flags=flags, environ={})
    worst: dict[str, Level] = {}
    for finding in examine_settings(loaded.settings, loaded.origins):
        if worst.get(finding.about) is not Level.UNSAFE:
            worst[finding.about] = finding.level
        assert finding.level is Level.FINE or finding.mend
    return worst


def test_the_defaults_are_fine():
    assert set(found().values()) == {Level.FINE}


def test_https_behind_a_named_proxy_is_fine():
    levels = found(public_url="https://remit.example", trusted_proxies="10.0.0.5")
    assert set(levels.values()) == {Level.FINE}


def test_https_without_a_proxy_is_worth_a_note():
    assert found(public_url="https://remit.example")["proxies"] is Level.NOTE


def test_plain_http_to_others_is_unsafe():
    levels = found(host="0.0.0.0", public_url="http://localhost:8600")
    assert levels["issuer"] is Level.UNSAFE


def test_debug_logs_are_unsafe():
    assert found(log_level="debug")["logs"] is Level.UNSAFE


def test_a_proxy_network_of_many_is_worth_a_note():
    levels = found(public_url="https://remit.example", trusted_proxies="10.0.0.0/8")
    assert levels["proxies"] is Level.NOTE


def test_a_password_in_the_settings_is_worth_a_note_that_does_not_repeat_it():
    loaded = load_settings(flags={"database_url": "postgresql://a:hunter2@db/r"}, environ={})
    findings = list(examine_settings(loaded.settings, loaded.origins))
    (password,) = [one for one in findings if one.about == "database"]
    assert password.level is Level.NOTE
    assert "--database-url" in password.text
    assert all("hunter2" not in one.text + one.mend for one in findings)


def test_what_counts_as_production():
    assert not is_production(load_settings(flags={}, environ={}).settings)
    for flags in ({"public_url": "https://remit.example"}, {"database_url": "postgresql://db/r"}):
        assert is_production(load_settings(flags=flags, environ={}).settings)
