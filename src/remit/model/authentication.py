"""How strongly a person can have proved who they are."""

__all__ = ["ACR_MULTI_FACTOR", "ACR_PASSWORD", "ACR_PHISHING_RESISTANT", "ACR_VALUES"]

ACR_PASSWORD = "urn:remit:acr:pwd"  # noqa: S105  how strongly, not a password
ACR_MULTI_FACTOR = "urn:remit:acr:mfa"
ACR_PHISHING_RESISTANT = "urn:remit:acr:phr"
ACR_VALUES = (ACR_PASSWORD, ACR_MULTI_FACTOR, ACR_PHISHING_RESISTANT)
"""All there are, weakest first."""
