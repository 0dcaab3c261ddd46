"""Writes what is set up as one YAML file."""

import os
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from hub.exporting import export
from hub.models import Pair


class Command(BaseCommand):
    help = "Writes connections, pairs, flows, mappings and lookup tables as YAML. Secrets become ${NAMES}."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--pair", help="only this pair, with its connections")
        parser.add_argument("--output", type=Path, help="a file; without it, standard output")

    def handle(self, *args: Any, **options: Any) -> None:
        pair = None
        if options["pair"]:
            pair = Pair.objects.filter(name=options["pair"]).first()
            if pair is None:
                known = ", ".join(Pair.objects.order_by("name").values_list("name", flat=True)) or "none yet"
                raise CommandError(f"There is no pair {options['pair']!r}; there are: {known}.")
        text = export(pair)
        file: Path | None = options["output"]
        if file is None:
            self.stdout.write(text, ending="")
            return
        try:
            handle, name = tempfile.mkstemp(dir=file.absolute().parent, prefix=file.name)
            with os.fdopen(handle, "w", encoding="utf-8") as whole:
                whole.write(text)
            os.replace(name, file)  # all of it, or what was there before
        except OSError as error:
            raise CommandError(f"{file} cannot be written: {error.strerror}.") from error
