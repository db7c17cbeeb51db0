"""What somebody else signed and hands to us: whose it is, what it says, and whether it is good here, once."""
