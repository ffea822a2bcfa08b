"""One module for each step: `v<revision>_<what it brings>.py`, never edited once released."""
