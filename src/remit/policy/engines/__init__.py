"""Adapters of the port: one module per policy engine."""
