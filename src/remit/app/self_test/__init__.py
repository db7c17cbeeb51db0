"""What Remit tries on itself before it answers anybody."""

from remit.app.self_test.run import SelfTest, SelfTestFailedError

__all__ = ["SelfTest", "SelfTestFailedError"]
