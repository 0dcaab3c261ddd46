"""What tests see of a running hub: a message's row, its attempts, and what has reached a sandbox."""

from dataclasses import dataclass, field

from hub import connecting, limits
from hub.models import AuditEntry, Credential, Quota, Token


def fresh(row):
    row.refresh_from_db()
    return row


def stands_as(message):
    fresh(message)
    return message.state, message.outcome, message.kind, message.tries


def attempts(message):
    return list(message.attempts.order_by("number").values_list("number", "ended_in", "kind"))


@dataclass
class Writes:
    """The writes that reached a sandbox, by what was asked and the status that was answered (0: nothing was)."""

    seen: list = field(default_factory=list)

    def to(self, part):
        return [request for request, _ in self.seen if part in request.target]

    def made(self, part):
        """Those that the other side has carried out, whether or not anybody heard of it."""
        return [request for request, status in self.seen if part in request.target and 200 <= status < 300]


def watched(sandbox):
    """A sandbox's writes from now on."""
    writes, respond = Writes(), sandbox.respond

    def responding(request):
        answer = respond(request)
        if request.method != "GET" and "/oauth2/" not in request.path:
            writes.seen.append((request, answer.status))
        return answer

    sandbox.respond = responding
    return writes


def back(running):
    """Everybody answers again, and the time of the next try has come."""
    running.joined.erp.faults, running.joined.shop.faults = [], []
    running.later()
    for one in Quota.objects.values_list("pk", flat=True):
        limits.look_again(one)
    running.work()


def new_secret(connection, name, value):
    row = Credential.objects.get(connection=connection, name=name)
    row.value = value
    row.save()


def signed_out():
    """Nobody has a token, and every connection is made anew."""
    Token.objects.all().delete()
    connecting.close_all()


def is_paused(connection, words):
    """With these words for the operator, and an entry in the audit that the hub did it."""
    fresh(connection)
    entry = AuditEntry.objects.get(what="paused")
    assert connection.paused
    assert connection.paused_because.startswith(words)
    assert (entry.who, entry.record) == (None, f"Connection {connection.name}")
    assert entry.after["paused_because"] == connection.paused_because
    return True
