"""The strengths of a log-in have an order."""

from remit.model import ACR_MULTI_FACTOR, ACR_PASSWORD, ACR_PHISHING_RESISTANT, ACR_VALUES


def test_they_stand_weakest_first():
    assert ACR_VALUES == (ACR_PASSWORD, ACR_MULTI_FACTOR, ACR_PHISHING_RESISTANT)
    assert len(set(ACR_VALUES)) == 3
