"""Frozen values that the rooms hand to each other; only the standard library is used here.

Every moment is a float of seconds since the Unix epoch, UTC, on the provider's clock unless
the name says otherwise; every duration is a float of seconds; all money is estimated USD.
"""
