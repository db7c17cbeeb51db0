"""What another version of the policies would have decided of calls that really came, and what else it changes.

Nothing recorded is ever carried out.
"""
