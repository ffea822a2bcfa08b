"""The `demurrage` command."""


def main() -> None:
    """Run the command line."""
