"""Tests a connection: does its system answer, as whom, and what may this account do, in words."""

from dataclasses import dataclass

from django.utils import timezone

from connectors.errors import ConnectorError
from hub.connecting import connector_of
from hub.models import Connection
from hub.outcomes import outcome_of
from hub.scrubbing import scrubbed


@dataclass(frozen=True)
class Tested:
    ok: bool
    words: str


def test(connection: Connection) -> Tested:
    """Asks the system now, whatever its breaker says, and keeps the answer with the connection."""
    try:
        found = connector_of(connection).check()
        facts = [f"{label}: {value}." for label, value in found.facts]
        words = " ".join([found.summary, *facts, *found.warnings])
        result = Tested(found.ok, scrubbed(words))
    except ConnectorError as error:
        hint = getattr(error, "hint", "")
        result = Tested(False, scrubbed(f"{error.message} {hint}".strip()))
    except Exception as error:  # a person asked: whatever it is, the answer is in words
        result = Tested(False, outcome_of(error).reason)
    answer = {"tested_at": timezone.now(), "test_passed": result.ok, "test_answer": result.words}
    Connection.objects.filter(pk=connection.pk).update(**answer)
    return result
