"""Makes the rows say what a YAML file says."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from hub.applying.changing import By
from hub.applying.checking import checked
from hub.applying.planning import plan
from hub.applying.reading import BadFile, read
from hub.models import Pair


class Command(BaseCommand):
    help = "Makes connections, pairs, flows, mappings and lookup tables what the file says: all of it, or nothing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", help="as `export` writes it; - is standard input")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")
        parser.add_argument("--keep-secrets", action="store_true", help="keep stored secrets whose variable is not set")
        parser.add_argument("--as", dest="user", default="", help="the person whom audit entries name")

    def handle(self, *args: Any, **options: Any) -> None:
        who = self.person(options["user"])
        name = "standard input" if options["file"] == "-" else options["file"]
        by = By(who, Path(name).name)
        try:
            file = read(name, self.content(options["file"]))
            with transaction.atomic():
                list(Pair.objects.select_for_update(of=("self",)).order_by("pk"))  # one apply at a time
                changes, left = plan(file, checked(file, options["keep_secrets"]))
                if not options["dry_run"]:
                    for one in changes:
                        one.act(by)
        except BadFile as error:
            raise CommandError(f"{error}\nRefused whole: nothing was changed.") from error
        self.tell([one.words for one in changes if one.words], left, by, options["dry_run"])

    def content(self, file: str) -> bytes:
        if file == "-":
            return sys.stdin.buffer.read()
        try:
            return Path(file).read_bytes()
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error

    def person(self, name: str) -> User | None:
        if not name:
            return None
        found = User.objects.filter(username=name, is_active=True).first()
        if found is None:
            raise CommandError(f"There is nobody called {name!r} who may sign in.")
        return found

    def tell(self, words: list[str], left: list[str], by: By, dry: bool) -> None:
        for one in words:
            self.stdout.write(one)
        for one in left:
            self.stdout.write(f"Left as it is, since the file does not name it: {one}")
        if by.released:
            self.stdout.write(f"{by.released} messages that waited for an entry are on the way again.")
        if not words:
            self.stdout.write("Nothing to change.")
        else:
            end = " would be made; nothing was changed." if dry else " made."
            self.stdout.write(f"{len(words)} {'change' if len(words) == 1 else 'changes'}{end}")
