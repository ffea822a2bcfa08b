"""The harbour: a fake API over real HTTP that knows the truth, and workloads for it."""
