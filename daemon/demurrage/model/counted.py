"""Numbers of things, for people."""


def counted(number: int, one: str) -> str:
    """How many of something, whose plural ends with an s."""
    return f"{number:,} {one}" if number == 1 else f"{number:,} {one}s"
