"""A master key that is nobody's."""

import pytest

from remit.secrets import MasterKey, SecretBox


@pytest.fixture
def master() -> MasterKey:
    return MasterKey(bytes(range(32)))


@pytest.fixture
def box(master) -> SecretBox:
    return SecretBox(master)
