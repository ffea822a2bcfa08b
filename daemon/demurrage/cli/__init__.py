"""The `demurrage` command."""


def main() -> None:
    """Run the command line."""
    from demurrage.cli.program import program

    program(prog_name="demurrage")
