"""Makes somebody who may sign in: the first administrator, and whoever a script needs."""

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from hub import audit
from hub.models import Pair
from hub.people import ROLE_NAMES
from hub.persons import make_person


class Command(BaseCommand):
    help = "Makes a person with a role, or changes one. Prints the password where none was given."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name")
        parser.add_argument("--role", action="append", required=True, choices=ROLE_NAMES)
        parser.add_argument("--pairs", default="", help="names of pairs, separated by commas; without it, every pair")
        parser.add_argument("--password-stdin", action="store_true", help="read the password from standard input")

    def handle(self, *args: Any, **options: Any) -> None:
        wanted = [one for one in options["pairs"].split(",") if one]
        pairs = list(Pair.objects.filter(name__in=wanted))
        if missing := set(wanted) - {one.name for one in pairs}:
            raise CommandError(f"There is no pair {sorted(missing)[0]!r}.")
        given = sys.stdin.readline().rstrip("\n") if options["password_stdin"] else ""
        password = given or secrets.token_urlsafe(12)
        try:
            validate_password(password, User(username=options["name"]))
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        user = make_person(options["name"], options["role"], password, every_pair=not wanted, pairs=pairs)
        told = {"roles": options["role"], "pairs": wanted or "every pair"}
        audit.note(None, "made by a command", user.person, None, told)
        self.stdout.write(f"{user} may sign in as {', '.join(options['role'])}.")
        if not given:
            self.stdout.write(f"Password: {password}")
