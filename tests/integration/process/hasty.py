"""The daemon with little patience at its end, so that a test need not wait for it."""

from demurrage.app import ending
from demurrage.cli import main

if __name__ == "__main__":
    ending.PATIENCE = 3.0
    main()
