"""A shop and an ERP joined by rows, as a running hub has them, with both sandboxes in this process."""

from decimal import Decimal

from django.utils import timezone

from connectors.base import Event
from hub import connecting
from hub.handling import handle
from hub.inbox import receive
from hub.install import install
from hub.lanes import claim
from hub.models import Connection, Credential, Lane, Message, Pair
from hub.tests.joined import Joined


class Running:
    """`joined` has both sandboxes; here they are connections in rows."""

    def __init__(self):
        self.joined = Joined()
        self.shop, self.erp = self.connection("prestashop"), self.connection("dynamics365")
        self.pair = Pair.objects.create(name="one", label="Pair", source=self.shop, target=self.erp)
        self.flow = install(self.pair, "orders")

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

    def work(self):
        """Works on everything that is due, in this thread."""
        while claims := claim(16):
            for one in claims:
                handle(one)

    def later(self):
        """Everything that waits for its time is due."""
        Message.objects.exclude(not_before=None).update(not_before=timezone.now())
        Lane.objects.exclude(due_at=None).update(due_at=timezone.now())

    def standing(self, order):
        return self.joined.standing(order)

    def exact(self, order):
        (stands,) = self.standing(order)
        return stands["totalamount"] == Decimal(self.joined.shop_order(order)["total_paid_tax_incl"])
