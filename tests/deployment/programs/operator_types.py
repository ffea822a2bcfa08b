"""Says what the Prometheus Operator would not take of the documents in the files named.

Its models pass over fields that they do not know, so what they have read is compared with what
was written.
"""

import sys
from pathlib import Path

import yaml
from cloudcoil.models.prometheus_operator import v1

wrong = 0
for name in sys.argv[1:]:
    for document in yaml.safe_load_all(Path(name).read_text()):
        kind = document["kind"]
        try:
            read = getattr(v1, kind).model_validate(document)
        except ValueError as error:
            print(f"{name}: {kind}: {error}")
            wrong += 1
            continue
        if read.model_dump(by_alias=True, exclude_unset=True, mode="json") != document:
            print(f"{name}: {kind}: has fields that are not known")
            wrong += 1
        else:
            print(f"{name}: {kind}: is taken")
sys.exit(1 if wrong else 0)
