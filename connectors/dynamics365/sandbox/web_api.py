"""The Web API's addresses: which part answers which call, alone or as a part of a batch."""

from connectors.dynamics365.sandbox import actions, metadata, query, related, tracking, unspoken, writes
from connectors.dynamics365.sandbox.environment import Environment
from connectors.dynamics365.sandbox.errors import Refused, method_not_allowed, no_resource, not_implemented, query_error
from connectors.dynamics365.sandbox.references import Segment, content_reference, resolve, segments
from connectors.dynamics365.sandbox.wire import Call, json_response, refusal, traced
from connectors.sandbox import Response

QUALIFIED = "Microsoft.Dynamics.CRM."


def answer(environment: Environment, call: Call) -> Response:
    """Every refusal is an answer; the headers that the service always sends are added."""
    try:
        response = route(environment, call)
    except Refused as error:
        response = refusal(error)
    response.headers += [("OData-Version", "4.0"), ("Preference-Applied", ",".join(applied(call, response)))]
    response.headers = merged(response.headers)
    return traced(response)


def applied(call: Call, response: Response) -> list[str]:
    """The preferences of this call that the answer follows."""
    if response.status != 200 or call.method != "GET":
        return []
    names = ("odata.maxpagesize", "odata.include-annotations", "odata.track-changes")
    given = {name: call.prefer[name] for name in names if name in call.prefer}
    return [
        f'{name}="{value}"' if name == "odata.include-annotations" else f"{name}={value}" if value else name
        for name, value in given.items()
    ]


def merged(headers: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """One Preference-Applied header, and none where nothing was applied."""
    preferences = ",".join(value for name, value in headers if name == "Preference-Applied" and value)
    rest = [one for one in headers if one[0] != "Preference-Applied"]
    return [*rest, ("Preference-Applied", preferences)] if preferences else rest


def route(environment: Environment, call: Call) -> Response:
    steps = segments(call.path)
    first, rest = steps[0], steps[1:]
    if not first.name.strip():
        raise no_resource("")
    if first.name.startswith("$"):
        return named(environment, call, first, rest)
    if first.name in ("EntityDefinitions", "GlobalOptionSetDefinitions", "RelationshipDefinitions"):
        return metadata.answer(environment, call, steps)
    if first.name == "WhoAmI" and call.method == "GET":
        return actions.who_am_i(environment, call)
    if first.name in actions.UNBOUND:
        if call.method != "POST":
            raise method_not_allowed(call.method)
        return actions.UNBOUND[first.name](environment, call)
    if first.name in unspoken.OPERATIONS:
        raise not_implemented(f"the operation '{first.name}'")
    if first.key is None:
        return entity_set(environment, call, first, rest)
    return record(environment, call, first, rest)


def named(environment: Environment, call: Call, first: Segment, rest: list[Segment]) -> Response:
    """`$1/…`: the record that an earlier part of the change set made."""
    if first.name in ("$batch", "$metadata"):
        raise not_implemented(first.name)
    set_name, id = content_reference(first.name, call.references)
    return record(environment, call, Segment(set_name, id), rest)


def entity_set(environment: Environment, call: Call, first: Segment, rest: list[Segment]) -> Response:
    table = environment.table_of_set(first.name)
    if not rest:
        if call.method == "GET":
            if tracking.asked(call):
                return json_response(200, tracking.read_changes(environment, call, table))
            return json_response(200, query.read_collection(environment, call, table))
        if call.method == "POST":
            return writes.post(environment, call, table)
        raise method_not_allowed(call.method)
    if rest[0].name == "$count" and call.method == "GET" and len(rest) == 1:
        return query.count(environment, call, table)
    if rest[0].name.startswith(QUALIFIED) and call.method == "POST":
        done = actions.bound_action(environment, call, table, rest[0].name.removeprefix(QUALIFIED))
        if done:
            return done
    refuse_unspoken(rest[0])
    raise no_resource(rest[0].name)


def refuse_unspoken(step: Segment) -> None:
    """Raises Refused (501) for what the service documents at this place of an address."""
    name = step.name.removeprefix(QUALIFIED)
    if name in unspoken.OPERATIONS or step.name in ("$ref", "$query", "$value"):
        raise not_implemented(f"the operation '{name}'")


def record(environment: Environment, call: Call, first: Segment, rest: list[Segment]) -> Response:
    table = environment.table_of_set(first.name)
    key = first.key or ""
    if key.startswith("$"):
        _, key = content_reference(key, call.references)
    if not key:
        raise query_error("The key of the record is missing.")
    reference = resolve(environment, table, key)
    if rest:
        refuse_unspoken(rest[0])
        return related.answer(environment, call, reference, rest)
    if call.method == "GET":
        return writes.get(environment, call, reference)
    if call.method == "PATCH":
        return writes.patch(environment, call, reference)
    if call.method == "DELETE":
        return writes.delete(environment, call, reference)
    raise method_not_allowed(call.method)
