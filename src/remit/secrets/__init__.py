"""The room `secrets`."""
