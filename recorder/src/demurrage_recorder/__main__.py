"""`python -m demurrage_recorder`."""

import sys

from demurrage_recorder.cli import main

sys.exit(main())
