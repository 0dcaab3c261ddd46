"""The rows of a hub that does the measured work: two connections, a pair, its flows and the secret of its webhooks.
Runs inside of Django, from what the environment says about the systems."""

import json
import os

from bench.running import FLOWS, SYSTEMS, TOKEN
from connectors import systems
from hub.install import install
from hub.models import Connection, Credential, Pair

NO_LIMIT = {"calls_a_minute": "0", "calls_at_once": "0"}


def make() -> Pair:
    source, target = (
        connect(name, one) for name, one in zip(("shop", "erp"), json.loads(os.environ[SYSTEMS]), strict=True)
    )
    keep(source, "webhook token", TOKEN)
    pair = Pair.objects.create(name="bench", label="Bench", source=source, target=target)
    for name in os.environ[FLOWS].split():
        install(pair, name)
    return pair


def connect(name: str, given: dict[str, dict[str, str]]) -> Connection:
    system = str(given["system"])
    secret = {one.name for one in systems()[system].settings if one.secret}
    answers = {**given["settings"], **NO_LIMIT}
    open_ones = {key: value for key, value in answers.items() if key not in secret}
    row = Connection.objects.create(name=name, label=name, system=system, settings=open_ones)
    for key in secret & answers.keys():
        keep(row, key, answers[key])
    return row


def keep(row: Connection, name: str, value: str) -> None:
    credential = Credential(connection=row, name=name)
    credential.value = value
    credential.save()
