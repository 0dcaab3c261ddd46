"""Kills processes of a hub, each the way the kernel does when memory runs out, and knows afterwards whom and when."""

import os
import signal
import time
import uuid
from collections import Counter
from contextlib import suppress

from hub.tests import processes
from hub.tests.journals import writes

ENOUGH = 6
SUSPECTS = "SELECT 1 FROM hub_message WHERE state = 'running' AND deaths > 0"
SENDER = """
    SELECT claimed_by FROM hub_lane l WHERE entity = 'orders' AND key = %s AND claimed_by = (
        SELECT who FROM claims c WHERE c.entity = l.entity AND c.key = l.key AND at < to_timestamp(%s)
        ORDER BY at DESC LIMIT 1
    )
"""


class Killer:
    """`kills` are their kinds."""

    def __init__(self, machine, random):
        self._machine = machine
        self._random = random
        ((namespace,),) = machine.ask("SELECT namespace FROM hub_pair")
        self._namespace = namespace
        self.kills = []

    @property
    def counts(self):
        return Counter(self.kills)

    def workers(self):
        """The ids of the processes that drain, but for what a killed supervisor left behind: that ends by itself."""
        looked_after = {one.pid for one in self._machine.supervisors}
        found = processes.workers("DATABASE_URL", self._machine.database)
        return [pid for pid in found if looked_after & set(processes.ancestors(pid))]

    def kill_any(self):
        """At best a worker just between the ERP's commit and its answer, until there were enough of these."""
        if self.counts["between"] < ENOUGH and self.kill_between():
            return
        kind = self._random.choices(("worker", "between", "sentinel", "supervisor"), (4, 3, 2, 1))[0]
        if kind == "supervisor":
            self.kill_supervisor()
        elif not (kind == "sentinel" and self.kill_sentinel()) and not (kind == "between" and self.kill_between()):
            self.kill_worker()

    def kill_worker(self):
        found = self.workers()
        self._random.shuffle(found)
        return any(self._shot("worker", one, lambda: True) for one in found)

    def kill_idle(self, worker):
        return self._shot("idle worker", worker, lambda: not self._claimed_by(worker))

    def kill_between(self):
        """The worker that waits for the answer to an order which the ERP has committed. False where there is none."""
        end = time.monotonic() + 1
        while time.monotonic() < end:
            for one in self._committed_without_answer():
                pid = self._worker_of(one)
                if pid and self._shot("between", pid, lambda key=one.key: self._still_open(key)):
                    return True
            time.sleep(0.05)
        return False

    def kill_sentinel(self):
        """django-q2's, whose worker goes on until its supervisor ends it. So nobody may run alone until then."""
        found = self.workers()
        if not found or self._machine.ask(SUSPECTS):
            return False
        worker = self._random.choice(found)
        self._machine.deaths[worker] = time.time()
        self._kill("sentinel", processes.parent(worker))
        return True

    def kill_supervisor(self):
        """It is started again, as the system's service manager would."""
        one = self._random.choice(self._machine.supervisors)
        self._machine.supervisors.remove(one)
        self._kill("supervisor", one.pid)
        one.wait()
        self._machine.start_worker()

    def _kill(self, kind, pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self.kills.append(kind)

    def _shot(self, kind, pid, still_so):
        """Stops the process first, so that nothing moves while it is looked at.

        A message with which two workers died runs alone: the third death ends it. So many blows in the same place are
        what tells a message that kills from an innocent one, and no test of innocent ones deals them.
        """
        try:
            os.kill(pid, signal.SIGSTOP)
            while processes.state(pid) not in ("T", ""):
                time.sleep(0.001)
            if not processes.alive(pid) or self._is_alone(pid) or not still_so():
                os.kill(pid, signal.SIGCONT)
                return False
            self._machine.deaths[pid] = time.time()
            self._kill(kind, pid)
        except ProcessLookupError:
            return False
        return True

    def _claimed_by(self, pid):
        return self._machine.ask("SELECT alone FROM hub_lane WHERE split_part(claimed_by, ' ', 3) = %s", str(pid))

    def _is_alone(self, pid):
        return any(alone for (alone,) in self._claimed_by(pid))

    def _committed_without_answer(self):
        found = writes(self._machine.journals["dynamics365"], of="salesorders/")
        return [one for one in found if one.changed and one.end is None]

    def _still_open(self, key):
        return any(one.key == key for one in self._committed_without_answer())

    def _worker_of(self, write):
        """The worker that sent it and still waits: who had the lane when it began, and has it now."""
        orders = {str(uuid.uuid5(self._namespace, f"order:{one}")): str(one) for one in self._machine.orders}
        found = self._machine.ask(SENDER, orders[write.key.partition("/")[2]], write.begin)
        pid = int(found[0][0].split(" ")[2]) if found else 0
        return pid if pid in self.workers() else 0
