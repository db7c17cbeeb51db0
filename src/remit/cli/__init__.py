"""The command line. `remit.cli.main.main` is the entry point; importing the room opens nothing."""

__all__: list[str] = []
