import pyotp
import pytest

from remit.demo.authenticator_app import AuthenticatorApp, NoCodeLeftError

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
AT = 1_795_330_800.0


def test_three_codes_are_good_at_any_moment_and_none_is_shown_twice():
    app = AuthenticatorApp(SECRET, clock=lambda: AT)
    shown = [app.code() for _ in range(3)]
    assert shown == [pyotp.TOTP(SECRET).at(AT + 30 * step) for step in (-1, 0, 1)]
    with pytest.raises(NoCodeLeftError):
        app.code()


def test_half_a_minute_later_there_is_another():
    at = [AT]
    app = AuthenticatorApp(SECRET, clock=lambda: at[0])
    for _ in range(3):
        app.code()
    at[0] += 30
    assert app.code() == pyotp.TOTP(SECRET).at(AT + 60)
