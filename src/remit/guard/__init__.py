"""The room `guard`."""
