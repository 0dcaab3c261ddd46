"""A shop and an ERP joined by rows, as a running hub has them, with both sandboxes in this process."""

import threading
from decimal import Decimal

from django.db import connections
from django.utils import timezone

from connectors.base import Event
from hub import connecting
from hub.breaker import due_probes, probe
from hub.handling import handle
from hub.inbox import receive
from hub.install import install_all
from hub.lanes import claim
from hub.models import Connection, Credential, Lane, Message, Pair, Quota
from hub.tests.joined import Joined


class Running:
    """`joined` has both sandboxes; here they are connections in rows."""

    def __init__(self):
        self.joined = Joined()
        self.shop, self.erp = self.connection("prestashop"), self.connection("dynamics365")
        self.pair = Pair.objects.create(name="one", label="Pair", source=self.shop, target=self.erp)
        install_all(self.pair)
        self.flow = self.pair.flows.get(name="orders")

    def connection(self, system):
        sandbox = self.joined.shop if system == "prestashop" else self.joined.erp
        row = Connection.objects.create(name=system, label=system, system=system)
        for name, value in sandbox.connection().items():
            if name in ("key", "client_secret"):
                secret = Credential(connection=row, name=name)
                secret.value = value
                secret.save()
            else:
                row.settings[name] = value
        row.save()
        connecting.transports[system] = sandbox.transport
        return row

    def receive(self, order, event_id=""):
        (message,) = receive(self.shop, [Event("orders", str(order), event_id)], Message.Origin.WEBHOOK)
        return message

    def receive_beside(self, order):
        """The same in a thread of its own, for tests whose thread has a browser's event loop."""

        def receive_it():
            self.receive(order)
            connections.close_all()

        thread = threading.Thread(target=receive_it)
        thread.start()
        thread.join()

    def order(self, *lines, **options):
        """An order of somebody whom the ERP knows."""
        customer = self.joined.customer()
        receive(self.shop, [Event("customers", str(customer))], Message.Origin.WEBHOOK)
        self.work()
        return self.joined.order(*lines, customer=customer, **options)

    def work(self):
        """Works on everything that is due, in this thread."""
        while claims := claim(16):
            for one in claims:
                handle(one)

    def later(self):
        """Everything that waits for its time is due, and who was away is asked whether it is back."""
        Quota.objects.exclude(blocked_until=None).update(blocked_until=timezone.now())
        for quota in due_probes(timezone.now()):
            probe(quota)
        Message.objects.exclude(not_before=None).update(not_before=timezone.now())
        Lane.objects.exclude(due_at=None).update(due_at=timezone.now())

    def standing(self, order):
        return self.joined.standing(order)

    def exact(self, order):
        (stands,) = self.standing(order)
        return stands["totalamount"] == Decimal(self.joined.shop_order(order)["total_paid_tax_incl"])
