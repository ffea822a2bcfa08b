"""One cycle: inventory → events → decide → rails → write-ahead → delete → record."""
