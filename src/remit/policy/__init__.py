"""The room `policy`."""
