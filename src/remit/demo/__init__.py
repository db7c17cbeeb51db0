"""The room `demo`."""
