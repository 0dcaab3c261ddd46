"""JSON columns that keep numbers with a point exactly: as records do, and as Decimal when they are read."""

import json
from typing import Any

from hub.records import marked, read_marked


class ExactEncoder(json.JSONEncoder):
    def default(self, o: Any) -> Any:
        return marked(o)


class ExactDecoder(json.JSONDecoder):
    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "object_hook": read_marked})


EXACT: dict[str, Any] = {"encoder": ExactEncoder, "decoder": ExactDecoder}
