"""Carries orders from the PrestaShop sandbox into the Dynamics 365 sandbox and prints what became of each."""

import fcntl
import hashlib
import json
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from connectors import systems
from connectors.errors import ConnectorError
from hub.connecting import connector_of
from hub.models import Pair
from hub.replay import Line, connected, forget, pair_name, pair_of, replay, sandboxes, seed

SHOP, ERP = "prestashop", "dynamics365"


class Command(BaseCommand):
    help = "Starts both sandboxes on ports, seeds the ERP, carries every order through the hub and reads the ERP back."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--data", type=Path, help="a folder of recorded orders; without it, the project's own")
        parser.add_argument("--json", type=Path, help="write the table to this file, too")
        parser.add_argument("--fresh", action="store_true", help="forget what earlier runs left")
        parser.add_argument("--paid-only", action="store_true", help="switch the rule 'Paid only' on")

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path | None = options["json"]
        if file and not file.absolute().parent.is_dir():
            raise CommandError(f"{file}: there is no such folder.")
        try:
            self.look_at_the_database()
            with self.alone(self.folder(options["data"])) as folder:
                if options["fresh"]:
                    self.forget(folder)
                lines = self.carry(folder, options["data"], {"paid_only": options["paid_only"]})
        except ConnectorError as error:
            raise CommandError(f"{error.message} {getattr(error, 'hint', '')}".strip()) from error
        except KeyboardInterrupt:
            raise CommandError(
                "Stopped. What was written so far stands in the ERP's sandbox; the next replay goes on.", returncode=130
            ) from None
        if file:
            text = json.dumps([one.as_json() for one in lines], indent=2, ensure_ascii=False)
            file.write_text(text + "\n", encoding="utf-8")
        self.sum_up(lines)

    def look_at_the_database(self) -> None:
        try:
            executor = MigrationExecutor(connection)
            behind = executor.migration_plan(executor.loader.graph.leaf_nodes())
        except OperationalError as error:
            raise CommandError(f"The database cannot be reached: {error}. Look at DATABASE_URL.") from error
        if behind:
            raise CommandError("The database lacks tables of this version. Run `python manage.py migrate`, then this.")

    def folder(self, data: Path | None) -> Path:
        name = hashlib.sha256(str(data.resolve()).encode()).hexdigest()[:12] if data else "samples"
        folder: Path = settings.BASE_DIR / "var" / "replay" / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def forget(self, folder: Path) -> None:
        for file in folder.glob("*.json*"):
            file.unlink()
        for pair in Pair.objects.filter(name=pair_name(folder)):
            forget(pair)

    @contextmanager
    def alone(self, folder: Path) -> Iterator[Path]:
        """Two replays at once would each write the other's state away."""
        with (folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise CommandError("Another replay of the same orders is running; wait for it to end.") from error
            yield folder

    def carry(self, folder: Path, data: Path | None, flow_settings: dict[str, Any]) -> list[Line]:
        try:
            shop, erp = sandboxes(SHOP, ERP, folder)
            pair = pair_of(shop, erp, folder)
        except (ValueError, KeyError, TypeError) as error:
            raise CommandError(f"What an earlier run left in {folder} cannot be read; --fresh forgets it.") from error
        unknown: frozenset[str] = frozenset()
        if data:
            try:
                shop.load_folder(data)
            except (ValueError, OSError) as error:
                raise CommandError(f"{data}: {error}") from error
        else:
            unknown = frozenset(shop.place_samples()["unknown"])
        with connected(pair, shop, erp):
            try:
                seed(erp, connector_of(pair.source), unknown)
            except ValueError as error:
                raise CommandError(f"The ERP cannot be seeded from this shop: {error}") from error
            told = [f"{systems()[one.system].label}: {one.address}" for one in (shop, erp)]
            self.stdout.write("   ".join(told) + "\n\n")
            return self.table(replay(pair, flow_settings))

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
        if not lines:
            raise CommandError("There is no order in this shop.")
        states = ", ".join(f"{count} {state}" for state, count in Counter(one.state for one in lines).items())
        self.stdout.write(f"\n{len(lines)} orders: {states}.")
        wrong = [one.reference for one in lines if not one.sound]
        if wrong:
            raise CommandError(f"Not exact: {', '.join(wrong)}.")
        done = sum(one.state == "done" for one in lines)
        self.stdout.write(f"Each of the {done} done orders stands once in the ERP, with the shop's total.")
