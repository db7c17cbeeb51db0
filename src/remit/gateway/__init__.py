"""The room `gateway`."""
