"""What a connector raises. The class says what happens next; the words are for the operator.

ConnectorError
├── TryLater        nothing was written, the same call may go through later
├── InDoubt         a write left and its answer was lost: look before a second write
├── NeedsPerson     no repetition will help
│   ├── SignInRefused   the whole connection is refused, not this record
│   ├── RecordRefused   the system named a fault in the record
│   └── NotFound        the record is not there (or no longer)
└── Skip            the record is not sent on purpose
"""

from datetime import datetime
from typing import Any


class ConnectorError(Exception):
    """`message` says what happened and to which record, in the operator's words. `record` is what could be read of the
    record all the same, so that it can be told by its number and amount."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.record: dict[str, Any] = {}


class TryLater(ConnectorError):
    """Unreachable, timed out, rate limited or busy. `after` is an aware UTC time before which no call may be made.
    `outage` is True where the system as a whole is away, limited or busy, so that no other call fares better, and False
    where it is about this record or this call."""

    def __init__(self, message: str, after: datetime | None = None, *, outage: bool = False) -> None:
        super().__init__(message)
        self.after = after
        self.outage = outage


class InDoubt(ConnectorError):
    """The write was sent and its outcome is unknown: `find` by the idempotency key before any second write. `resume`
    are fields to add to the record when it is written again, so that the connector knows its own first try."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.resume: dict[str, Any] = {}


class NeedsPerson(ConnectorError):
    """`hint` says what to do and where; `code` is the system's own error code, for grouping."""

    def __init__(self, message: str, hint: str = "", *, field: str = "", code: str = "") -> None:
        super().__init__(message)
        self.hint = hint
        self.field = field
        self.code = code


class SignInRefused(NeedsPerson):
    """Wrong, expired or disabled credentials, or missing rights: pauses the connection."""


class RecordRefused(NeedsPerson):
    """The system refused this record; `field` names its field in the system's terms where it said so."""


class NotFound(NeedsPerson):
    """No such record, or it has been deleted."""


class Skip(ConnectorError):
    """Not sent on purpose; the message is the reason."""
