"""The room `oauth`."""
