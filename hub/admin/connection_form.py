"""A connection's form, made from its connector's settings. Secrets go in and never come out."""

import hashlib
import json
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.core.validators import validate_slug
from django.db import IntegrityError, transaction
from django.utils import timezone

from connectors.base import Connector, Setting
from connectors.errors import NeedsPerson
from hub.models import Connection, Credential
from hub.scrubbing import scrubbed
from hub.secrets import CannotDecrypt

LONGEST, LONGEST_NAME, LONGEST_LABEL = 2000, 50, 200


@dataclass
class Answer:
    """One line of the form. `value` is empty for a secret; `kept_since` is when the stored one was made."""

    name: str
    label: str
    help: str
    value: str
    secret: bool = False
    required: bool = False
    choices: tuple[str, ...] = ()
    kept_since: Any = None
    wrong: str = ""


class ConnectionForm:
    def __init__(self, system: type[Connector], connection: Connection | None, data: Any = None) -> None:
        self.system, self.connection, self.data = system, connection, data
        self.answers = [*self._own(), *(self._setting(one) for one in system.settings)]
        self.system_name = system.name  # a template would call the class
        self.problem = ""
        self.opened_with = self.stands if data is None else data.get("stands", self.stands)

    def _own(self) -> list[Answer]:
        row = self.connection
        name = Answer(
            "name",
            "Name",
            "Stands in the address of its webhooks: letters, digits and hyphens.",
            self._at("name", row.name if row else ""),
            required=True,
        )
        label = Answer(
            "label", "Label", "As people read it.", self._at("label", row.label if row else ""), required=True
        )
        polled = str(row.poll_seconds if row else 60)
        every = Answer(
            "poll_seconds", "Seconds between two polls", "5 at least.", self._at("poll_seconds", polled), required=True
        )
        return [name, label, every]

    def _at(self, name: str, stands: str) -> str:
        return str(self.data.get(name, "")) if self.data is not None else stands

    def _setting(self, setting: Setting) -> Answer:
        row = self.connection
        kept = row.credentials.filter(name=setting.name, retired_at=None).first() if row and setting.secret else None
        stands = "" if setting.secret else str((row.settings if row else {}).get(setting.name) or setting.default)
        return Answer(
            f"setting-{setting.name}",
            setting.label,
            setting.help,
            "" if setting.secret else self._at(f"setting-{setting.name}", stands),
            secret=setting.secret,
            required=setting.required,
            choices=setting.choices,
            kept_since=kept.created_at if kept else None,
        )

    def is_valid(self) -> bool:
        by_name = {one.name: one for one in self.answers}
        for one in self.answers:
            one.wrong = _unfit(str((self.data or {}).get(one.name, "")), one.secret)
        self._check_own(by_name)
        if self.opened_with != self.stands:
            self.problem = (
                "Somebody has changed this connection since you opened it. Open it again, look at what stands there "
                "now, and make your change anew."
            )
        try:
            self.system(self._whole()).close()
        except NeedsPerson as error:
            self._place(error, by_name)
        return not self.problem and not any(one.wrong for one in self.answers)

    @property
    def wrong(self) -> list[str]:
        """The labels of the fields that something is wrong with."""
        return [one.label for one in self.answers if one.wrong]

    def _check_own(self, by_name: dict[str, Answer]) -> None:
        name, label, every = by_name["name"], by_name["label"], by_name["poll_seconds"]
        try:
            validate_slug(name.value)
        except ValidationError:
            name.wrong = "Letters, digits, hyphens and underscores only."
        if len(name.value) > LONGEST_NAME:
            name.wrong = f"{LONGEST_NAME} characters at most."
        twin = Connection.objects.filter(name=name.value).exclude(pk=self.connection.pk if self.connection else 0)
        if twin.exists():
            name.wrong = f"There is a connection {name.value!r} already."
        if not label.value.strip() or len(label.value) > LONGEST_LABEL:
            label.wrong = f"Give it a label of {LONGEST_LABEL} characters at most."
        if not re.fullmatch(r"\d{1,6}", every.value.strip(), re.ASCII) or int(every.value) < 5:
            every.wrong = "A whole number from 5 on."

    def _place(self, error: NeedsPerson, by_name: dict[str, Answer]) -> None:
        """The connector's words beside the settings that they name."""
        told = error.message.partition("connection: ")[2].rstrip(".") or error.message
        placed = False
        for part in told.split("; "):
            named = [one for one in self.system.settings if part.startswith(one.label) or one.name == error.field]
            at = max(named, key=lambda one: len(one.label), default=None)
            if at:
                line = by_name[f"setting-{at.name}"]
                line.wrong = line.wrong or f"{part}."
                placed = True
        if not placed:
            self.problem = f"{error.message} {error.hint}".strip()

    @property
    def stands(self) -> str:
        """A digest of what is stored: goes out with the form and comes back with it."""
        row = self.connection
        kept = sorted(row.credentials.filter(retired_at=None).values_list("pk", flat=True)) if row else []
        text = json.dumps([self._stands(), kept], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def _typed(self) -> dict[str, str]:
        data = self.data or {}
        return {one.name: str(data.get(f"setting-{one.name}", "")).strip() for one in self.system.settings}

    def _whole(self) -> dict[str, str]:
        """Every answer, a secret that was left empty as it is stored. One that cannot be read counts as missing."""
        stands = self._stored()
        secret = {one.name for one in self.system.settings if one.secret}
        return {
            name: value or (stands.get(name, "") if name in secret else "") for name, value in self._typed().items()
        }

    def _stored(self) -> dict[str, str]:
        found = {}
        for one in self.connection.credentials.filter(retired_at=None) if self.connection else ():
            with suppress(CannotDecrypt):
                found[one.name] = one.value
        return found

    def _open(self) -> dict[str, str]:
        secret = {one.name for one in self.system.settings if one.secret}
        return {name: value for name, value in self._typed().items() if name not in secret and value}

    def _new_secrets(self) -> dict[str, str]:
        secret = {one.name for one in self.system.settings if one.secret}
        return {name: value for name, value in self._typed().items() if name in secret and value}

    def _stands(self) -> dict[str, Any]:
        row = self.connection
        if row is None:
            return {}
        return {"name": row.name, "label": row.label, "poll_seconds": row.poll_seconds, **row.settings}

    def _wanted(self) -> dict[str, Any]:
        data = self.data or {}
        own = {"name": data["name"].strip(), "label": data["label"].strip(), "poll_seconds": int(data["poll_seconds"])}
        return {**own, **self._open()}

    def told(self) -> dict[str, Any]:
        """What changes, for the audit entry: of a secret only that it does."""
        stands, wanted = self._stands(), self._wanted()
        names = [one for one in {**stands, **wanted} if stands.get(one) != wanted.get(one)]
        return {**{one: wanted.get(one) for one in names}, **dict.fromkeys(self._new_secrets(), "(a new secret)")}

    def before(self) -> dict[str, Any]:
        stands = self._stands()
        return {name: stands.get(name) for name in self.told() if name not in self._new_secrets()}

    def save(self) -> Connection | None:
        """None, with the reason beside the name, where somebody else has just taken it."""
        try:
            return self._saved()
        except IntegrityError:
            self.answers[0].wrong = "Somebody has just taken this name: choose another one."
            return None

    @transaction.atomic
    def _saved(self) -> Connection:
        wanted = self._wanted()
        row = self.connection or Connection(system=self.system.name)
        row.name, row.label, row.poll_seconds = wanted.pop("name"), wanted.pop("label"), wanted.pop("poll_seconds")
        row.settings = wanted
        row.save()
        for name, value in self._new_secrets().items():
            row.credentials.filter(name=name, retired_at=None).update(retired_at=timezone.now())
            credential = Credential(connection=row, name=name)
            credential.value = value
            credential.save()
        return row


def _unfit(value: str, secret: bool) -> str:
    """What no setting may be; empty where nothing is wrong."""
    if len(value) > LONGEST:
        return f"{LONGEST} characters at most."
    if any(not one.isprintable() for one in value.strip()):
        return "It holds a character that cannot be seen: type it, or copy it again."
    if not secret and "://" in value and scrubbed(value) != value:
        return "This address holds a password or a key, and would be shown: leave it out."
    return ""
