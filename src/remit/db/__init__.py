"""The room `db`."""
