"""What an audit log of Remit is made of, and how anybody checks one: files in, a finding out.

Of the server nothing is imported here; the server imports its format from here, so that
what is written and what is checked cannot drift apart.
"""
