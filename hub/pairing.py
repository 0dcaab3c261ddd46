"""Joins a shop and an ERP: the pair's rows, its flows, and the polls that feed them."""

from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction

from hub import audit
from hub.flows import default_names
from hub.install import install
from hub.models import Flow, Pair, SyncJob


class CannotJoin(Exception):
    """Nothing was made; the words say why."""


@transaction.atomic
def join(pair: Pair, flows: Iterable[str], who: User | None) -> list[Flow]:
    """Saves the pair where it is new, adds these default flows of its ERP, and a poll for each entity that they start
    at. Raises CannotJoin where the two are joined already, or the name is taken."""
    if pair.pk is None:
        if Pair.objects.filter(source=pair.source, target=pair.target).exists():
            raise CannotJoin(f"{pair.source} and {pair.target} are joined already.")
        if Pair.objects.filter(name=pair.name).exists():
            raise CannotJoin(f"There is a pair {pair.name!r} already: choose another name.")
        pair.save()
        audit.note(who, "joined", pair, None, {"source": str(pair.source), "target": str(pair.target)}, pair)
    made = [install(pair, one) for one in flows]
    poll(pair)
    names = {"flows": [one.label for one in made]}
    audit.note(who, "added flows", pair, None, names, pair)
    return made


def poll(pair: Pair) -> None:
    """A poll of every entity that a flow of the pair starts at, where there is none."""
    for entity in sorted(set(pair.flows.values_list("source_entity", flat=True))):
        SyncJob.objects.get_or_create(connection=pair.source, entity=entity, kind=SyncJob.Kind.POLL)


def missing_flows(pair: Pair) -> list[str]:
    """Default flows of the ERP that the pair does not have."""
    there = set(pair.flows.values_list("name", flat=True))
    return [one for one in default_names(pair.target.system) if one not in there]
