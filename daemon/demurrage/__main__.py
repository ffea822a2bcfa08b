"""`python -m demurrage` is the `demurrage` command."""

from demurrage.cli import main

main()
