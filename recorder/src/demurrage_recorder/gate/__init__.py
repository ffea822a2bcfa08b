"""The gate: no container for a turn that needs none.

With `container: {"type": "auto"}` the API makes a container for every request, before the model
decides whether to run code. The gate sends such a request without the code interpreter first,
with a plain function in its place; only if the model calls that function is the request
repeated with the code interpreter attached.

It costs one more model call for each turn that does need the tool (its input is read twice, and
the answer comes later by that call), and nothing for a turn that does not.
"""

from demurrage_recorder.gate.door import Gate

__all__ = ["Gate"]
