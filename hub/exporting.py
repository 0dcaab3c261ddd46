"""What is set up as one readable YAML file: the same rows give the same text, so that a version control shows what
changed. Secrets are names of environment variables."""

import io
import re
from decimal import Decimal
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

from hub import rules
from hub.flow_versions import CONDITIONS
from hub.models import Connection, Flow, Mapping, Pair, SyncJob
from mappings.wording import condition_text, transforms_text

HEAD = """# What is set up in Tillbridge. `manage.py apply FILE` makes it so; a second time it changes nothing.
# ${NAME} is the environment variable NAME: secrets stand in no file.
"""
VERSION = 1
PLAIN = re.compile(r"[A-Za-z$][\w./@:{}$ +=,|()\[\]-]*[\w})\]]|[A-Za-z]", re.ASCII)
# What a block of lines would not keep.
AWKWARD = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff]|[ \t]\n|^\s|\n\n$|\s$")
WORDS = {"yes", "no", "on", "off", "true", "false", "null", "none", "y", "n", "nothing"}


def export(pair: Pair | None = None) -> str:
    """Everything, or what belongs to one pair."""
    text = io.StringIO()
    _writer().dump(_quoted(document(pair)), text)
    return HEAD + text.getvalue()


def _writer() -> YAML:
    writer = YAML()
    writer.indent(mapping=2, sequence=4, offset=2)
    writer.width = 110
    writer.allow_unicode = True
    writer.representer.add_representer(Decimal, _exact)
    return writer


def _exact(representer: Any, value: Decimal) -> Any:
    text = f"{value:f}"
    return representer.represent_scalar("tag:yaml.org,2002:float", text if "." in text else f"{text}.0")


def document(pair: Pair | None = None) -> dict[str, Any]:
    pairs = Pair.objects.select_related("source", "target").order_by("name")
    connections = Connection.objects.order_by("name")
    if pair:
        pairs = pairs.filter(pk=pair.pk)
        connections = connections.filter(pk__in=(pair.source_id, pair.target_id))
    return {
        "tillbridge": VERSION,
        "connections": {one.name: _connection(one) for one in connections},
        "pairs": {one.name: _pair(one) for one in pairs},
    }


def variable(connection: str, secret: str) -> str:
    """The environment variable that a secret is taken from."""
    return re.sub(r"\W", "_", f"TILLBRIDGE_{connection}_{secret}".upper(), flags=re.ASCII)


def _connection(row: Connection) -> dict[str, Any]:
    secrets = sorted(set(row.credentials.filter(retired_at=None).values_list("name", flat=True)))
    told: dict[str, Any] = {
        "label": row.label,
        "system": row.system,
        "poll_seconds": row.poll_seconds,
        "settings": dict(sorted(row.settings.items())),
    }
    return told | ({"secrets": {one: "${" + variable(row.name, one) + "}" for one in secrets}} if secrets else {})


def _pair(row: Pair) -> dict[str, Any]:
    polls = SyncJob.objects.filter(connection=row.source, kind=SyncJob.Kind.POLL, on=True)
    tables = row.lookup_tables.prefetch_related("entries").order_by("name")
    return {
        "label": row.label,
        "shop": row.source.name,
        "erp": row.target.name,
        "namespace": str(row.namespace),
        "polls": sorted(polls.values_list("entity", flat=True)),
        "flows": {one.name: _flow(one) for one in row.flows.select_related("current").order_by("name")},
        "mappings": {one.name: mapping(one) for one in row.mappings.select_related("current").order_by("name")},
        "tables": {
            one.name: {
                "label": one.label,
                "entries": {entry.theirs: entry.ours for entry in sorted(one.entries.all(), key=lambda it: it.theirs)},
            }
            for one in tables
        },
    }


def _flow(row: Flow) -> dict[str, Any]:
    now = row.current
    return {
        "label": row.label,
        "from": row.source_entity,
        "to": row.target_entity,
        "on": row.on,
        "settings": dict(sorted(row.settings.items())),
        "report": now.report if now else {},
        "steps": readable(now.steps) if now else [],
    }


def mapping(row: Mapping) -> dict[str, Any]:
    data = rules.data_of(row.current) if row.current else {"rules": []}
    told: dict[str, Any] = {"label": row.label, "to": row.target_entity}
    values = readable(data.get("values", []))
    return told | ({"values": values} if values else {}) | {"rules": readable(data["rules"])}


def readable(value: Any) -> Any:
    """Transforms and conditions as people read them: `do` and one line of text."""
    if isinstance(value, list):
        return [readable(one) for one in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, one in value.items():
        if name == "transform":
            found |= {"do": transforms_text(one)} if one else {}
        elif name in CONDITIONS and isinstance(one, dict):
            found[name] = condition_text(one)
        elif not (name == "label" and one == ""):
            found[name] = readable(one)
    return found


def _quoted(value: Any) -> Any:
    """Texts that YAML could take for something else in quotes, those of several lines as a block."""
    if isinstance(value, dict):
        return {_quoted(name): _quoted(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_quoted(one) for one in value]
    if not isinstance(value, str):
        return value
    if "\n" in value and not AWKWARD.search(value):
        return LiteralScalarString(value)
    plain = PLAIN.fullmatch(value) and value.casefold() not in WORDS and ": " not in value and " #" not in value
    return value if plain and not value.endswith(":") else DoubleQuotedScalarString(value)
