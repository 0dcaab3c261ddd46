"""Runs the hub with a shop and an ERP to try it with, until Ctrl-C."""

import fcntl
import signal
import threading
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import close_old_connections, connections

from connectors.sandbox import Sandbox
from connectors.serving import serving
from hub.demo import processes, rows, shopper
from hub.demo.processes import CannotStart, Child
from hub.people import ROLES

ASKED = """
Three things to try
  1. Why are these orders not in the ERP?  Sign in as operator, open "Unmapped values": 40 orders were paid with
     "alma", which no lookup table knows. Say what it is (Alma instalments), and they are all sent.
  2. An address that is too long.  Open "Problems", the one that says "shipto_line1", and one of its orders: press
     "Edit and send", shorten the street, say why, press "Check and send".
  3. Break the ERP.  Open "Connections", Dynamics 365, and press "Away: nobody answers". Watch the front page: orders
     wait, nothing is lost. Then press "Answer as it should".
"""


class Command(BaseCommand):
    help = "Starts the console, a worker, the sandboxes of a shop and an ERP, and somebody who buys. Stop with Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="of the console")
        parser.add_argument("--shop-port", type=int, default=8001)
        parser.add_argument("--erp-port", type=int, default=8002)
        parser.add_argument("--seconds", type=float, default=8, help="between two orders")
        parser.add_argument("--reset", action="store_true", help="forget the demo's data, and end")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEBUG:
            raise CommandError("The demo is for trying out: it runs only with DEBUG=true (see .env).")
        self.asked = threading.Event()
        self.again = threading.Event()
        self.began = time.monotonic()
        with self.alone(options):
            call_command("migrate", verbosity=0)
            if options["reset"]:
                rows.forget()
                self.stdout.write("The demo starts over with the next `make run`. Its people stay.")
                return
            try:
                self.run(options)
            except CannotStart as error:
                raise CommandError(str(error)) from error

    @contextmanager
    def alone(self, options: dict[str, Any]) -> Iterator[None]:
        """One demo at a time: two would write each other's state away."""
        with (rows.folder() / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CommandError("The demo is running already. Stop it with Ctrl-C where it runs.") from error
            yield

    def say(self, text: str) -> None:
        self.stdout.write(f"  {time.monotonic() - self.began:5.1f} s  {text}")
        self.stdout.flush()

    def run(self, options: dict[str, Any]) -> None:
        for name, what in (("port", "the console"), ("shop_port", "the shop"), ("erp_port", "the ERP")):
            processes.free(options[name], what, name.upper())
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, self.ask)
        children: list[Child] = []
        try:
            with ExitStack() as stack:
                shop, people = self.prepare(stack, options)
                children.append(processes.start("worker", processes.worker(), rows.folder()))
                console = processes.start("console", processes.web(options["port"]), rows.folder())
                children.append(console)
                address = f"http://127.0.0.1:{options['port']}/"
                processes.wait_for(address, console, self.asked.is_set)
                if not self.asked.is_set():
                    self.told(address, people)
                    self.look_after(children, shop, options["seconds"])
        finally:
            self.stdout.write("\nStopping: what is at work is finished first (Ctrl-C again ends it at once).")
            self.stdout.flush()
            processes.end(children, self.again.is_set)
            self.stdout.write("Stopped. `make run` goes on where this ended; `make demo-reset` starts over.")

    def ask(self, *signal_and_frame: object) -> None:
        (self.again if self.asked.is_set() else self.asked).set()

    def prepare(self, stack: ExitStack, options: dict[str, Any]) -> tuple[Sandbox, list[tuple[str, str]]]:
        try:
            shop, erp = rows.sandboxes()
        except (ValueError, KeyError, TypeError) as error:
            raise CannotStart("What an earlier demo left cannot be read. `make demo-reset` forgets it.") from error
        for sandbox, port in ((shop, options["shop_port"]), (erp, options["erp_port"])):
            stack.enter_context(serving(sandbox, port))
        self.say(f"A PrestaShop shop stands at {shop.address}, Dynamics 365 at {erp.address} (sandboxes)")
        rows.make(shop, erp)
        people = rows.people()
        rushed = rows.folder() / "rush.json"
        if not rushed.exists():
            for kind in shopper.rush():
                shopper.place(shop, kind)
            rushed.write_text("{}")
            self.say("The first customers have bought")
        connections.close_all()
        return shop, people

    def told(self, address: str, people: list[tuple[str, str]]) -> None:
        self.say("The console answers")
        lines = [f"  {name:<14} {password:<20} {ROLES[name]}" for name, password in people]
        self.stdout.write(f"\nThe console: {address}\n\nSign in as (name, password):\n" + "\n".join(lines))
        self.stdout.write(f"{ASKED}\nLogs: {rows.folder()}   Stop: Ctrl-C")
        self.stdout.flush()

    def look_after(self, children: list[Child], shop: Sandbox, seconds: float) -> None:
        """Until somebody asks us to stop. Raises CannotStart where a process ends by itself."""

        def wait(left: float) -> bool:
            end = time.monotonic() + left
            while time.monotonic() < end and not self.asked.wait(0.2):
                for one in children:
                    if one.process.poll() is not None:
                        raise CannotStart(f"The {one.name} has ended. Its last lines:\n{one.last_lines()}")
            close_old_connections()
            return self.asked.is_set()

        shopper.buy(shop, seconds, wait)
