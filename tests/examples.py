"""How many examples a property is tried on."""

from hypothesis import settings

# What a count of examples is a share of: hypothesis' own number, and that of the usual profile.
_USUAL = 100


def examples(count: int) -> settings:
    """Settings for a property that is to be tried `count` times in the suite.

    A profile that tries more or fewer examples than is usual (`--hypothesis-profile=deep`) scales
    the count. Profiles are loaded before test modules are.
    """
    profile = settings.default or settings()
    return settings(max_examples=max(1, count * profile.max_examples // _USUAL))
