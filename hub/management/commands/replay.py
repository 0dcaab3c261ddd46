"""Carries orders from the PrestaShop sandbox into the Dynamics 365 sandbox and prints what became of each."""

import hashlib
import json
import shutil
from argparse import ArgumentParser
from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from hub.flows import default_flow
from hub.replay import Line, connected, replay, sandboxes, seed

SHOP, ERP = "prestashop", "dynamics365"


class Command(BaseCommand):
    help = "Starts both sandboxes on ports, seeds the ERP from the shop, carries every order and reads the ERP back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, help="a folder of recorded orders; without it, the project's own")
        parser.add_argument("--json", type=Path, help="write the table to this file, too")
        parser.add_argument("--fresh", action="store_true", help="forget what earlier runs left in the ERP's sandbox")
        parser.add_argument("--paid-only", action="store_true", help="switch the rule 'Paid only' on")

    def handle(self, *args: Any, **options: Any) -> None:
        data: Path | None = options["data"]
        name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12] if data else "samples"
        folder = settings.BASE_DIR / "var" / "replay" / name
        if options["fresh"]:
            shutil.rmtree(folder, ignore_errors=True)
        shop, erp, namespace = sandboxes(SHOP, ERP, folder)
        unknown: frozenset[str] = frozenset()
        if data:
            try:
                shop.load_folder(data)
            except (ValueError, OSError) as error:
                raise CommandError(f"{data}: {error}") from error
        else:
            unknown = frozenset(shop.place_samples()["unknown"])
        with connected(shop, erp, namespace, {"paid_only": options["paid_only"]}) as pair:
            seed(erp, pair.source, unknown)
            self.stdout.write(f"{pair.source.label}: {shop.address}   {pair.target.label}: {erp.address}\n\n")
            lines = self.table(replay(default_flow(ERP, "orders"), pair))
        if options["json"]:
            text = json.dumps([one.as_json() for one in lines], indent=2, ensure_ascii=False)
            options["json"].write_text(text + "\n", encoding="utf-8")
        self.sum_up(lines)

    def table(self, found: Any) -> list[Line]:
        self.stdout.write(f"{'reference':<10} {'shop total':>16} {'ERP total':>16}  {'state':<12} reason")
        lines = []
        for one in found:
            shop_total = "" if one.shop_total is None else f"{one.shop_total} {one.currency}"
            erp_total = "" if one.erp_total is None else f"{one.erp_total} {one.currency}"
            reason = one.reason if one.sound else f"WRONG, stands {one.stands} times. {one.reason}"
            name = one.reference or f"id {one.id}"
            row = f"{name:<10} {shop_total:>16} {erp_total:>16}  {one.state:<12} "
            self.stdout.write(row + reason.replace("\n", "\n" + " " * len(row)))
            lines.append(one)
        return lines

    def sum_up(self, lines: list[Line]) -> None:
        states = ", ".join(f"{count} {state}" for state, count in Counter(one.state for one in lines).items())
        self.stdout.write(f"\n{len(lines)} orders: {states}.")
        wrong = [one.reference for one in lines if not one.sound]
        if wrong:
            raise CommandError(f"Not exact: {', '.join(wrong)}.")
        done = sum(one.state == "done" for one in lines)
        self.stdout.write(f"Each of the {done} done orders stands once in the ERP, with the shop's total.")
