"""Tests a connection: does its system answer, as whom, and what may this account do, in words."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.utils import timezone

from connectors.base import CheckResult
from connectors.errors import ConnectorError
from hub.connecting import once
from hub.models import Connection
from hub.outcomes import outcome_of
from hub.scrubbing import scrubbed

# Somebody looks at the page meanwhile.
AN_ANSWER = 5.0  # seconds
ALTOGETHER = timedelta(seconds=20)

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Tested:
    """`summary` is one sentence, `words` all that there is to say: what was found, a line each, and what to do."""

    ok: bool
    summary: str
    words: str


def test(connection: Connection) -> Tested:
    """Asks the system now, whatever its breaker and its limits say, and keeps the answer with the connection."""
    try:
        with once(connection, AN_ANSWER, timezone.now() + ALTOGETHER) as connector:
            result = _found(connector.check())
    except ConnectorError as error:
        words = scrubbed(f"{error.message} {getattr(error, 'hint', '')}".strip())
        result = Tested(False, words, words)
    except Exception as error:  # a person asked: whatever it is, the answer is in words
        found = outcome_of(error)
        logger.error("The test of connection %s failed.\n%s", connection.name, scrubbed(found.detail))
        result = Tested(False, found.reason, found.reason)
    answer = {"tested_at": timezone.now(), "test_passed": result.ok, "test_answer": result.words}
    Connection.objects.filter(pk=connection.pk).update(**answer)
    return result


def _found(check: CheckResult) -> Tested:
    lines = [
        check.summary,
        *(f"{label}: {value}" for label, value in check.facts),
        *(f"Look at this: {one}" for one in check.warnings),
    ]
    return Tested(check.ok, scrubbed(check.summary), scrubbed("\n".join(lines)))
