"""The same rows as the console, over HTTP: read by key and filter, and acted on with the same rights and words."""

from typing import Any, ClassVar

from django.db.models import Count, Q, QuerySet
from django.utils.dateparse import parse_datetime
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.response import Response

from connectors.base import Event
from hub import again, batches, lookups, models, testing
from hub.api import shapes
from hub.api.errors import Refused
from hub.api.paging import narrowed
from hub.audit import note
from hub.conservation import sums
from hub.inbox import receive_for
from hub.pausing import pause, resume
from hub.people import limited, pairs_of

ENDS = "pairs_as_source pairs_as_target"
ERRORS = {status: OpenApiResponse(shapes.Error) for status in (400, 401, 403, 404, 409, 429)}


def documented(words: str, filters: dict[str, Any], whole: bool = True) -> Any:
    """Summaries and filters of a list and of one row."""
    names = [OpenApiParameter(one, str, description=f"Only with this {one.replace('_', ' ')}.") for one in filters]
    shown = {"list": extend_schema(summary=f"List of {words}", parameters=names)}
    if whole:
        shown["retrieve"] = extend_schema(summary=f"One of the {words}")
    return extend_schema_view(**shown)


class Rows(mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """`rights` are by method; an act has its own. `pair_path` limits to the pairs of whoever asks."""

    pair_path: ClassVar[str] = "pair"
    filters: ClassVar[dict[str, Any]] = {}
    rights: ClassVar[dict[str, str]] = {}
    lookup_value_regex = r"[0-9]{1,18}"
    queryset: Any = None

    def get_queryset(self) -> QuerySet[Any]:
        return limited(self.queryset.all(), self.request.user, self.pair_path)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return narrowed(self.request, queryset, self.filters) if self.action == "list" else queryset

    def needs(self, right: str) -> None:
        """Raises PermissionDenied."""
        if not self.request.user.has_perm(right):
            raise PermissionDenied

    def given(self, shape: type[Any]) -> dict[str, Any]:
        """The request's body as the shape reads it. Raises ValidationError."""
        read = shape(data=self.request.data)
        read.is_valid(raise_exception=True)
        return read.validated_data


def since(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    return rows.filter(received_at__gte=_moment(text, "received_since"))


def until(rows: QuerySet[Any], text: str) -> QuerySet[Any]:
    return rows.filter(received_at__lt=_moment(text, "received_until"))


def _moment(text: str, name: str) -> Any:
    try:
        found = parse_datetime(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValidationError({name: "A time with its zone: 2026-11-26T10:00:00Z."})
    return found


MESSAGES = {
    "state": "state",
    "outcome": "outcome",
    "kind": "kind",
    "flow": "flow_id",
    "pair": "flow__pair_id",
    "problem": "problem_id",
    "reference": "reference",
    "number": "number",
    "key": "lane__key",
    "received_since": since,
    "received_until": until,
}


@documented("messages", MESSAGES)
class Messages(Rows):
    queryset = models.Message.objects.select_related("lane", "flow")
    serializer_class = shapes.Message
    pair_path = "flow__pair"
    filters = MESSAGES
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_message", "POST": "hub.view_message"}

    def get_serializer_class(self) -> Any:
        return shapes.MessageWhole if self.action == "retrieve" else shapes.Message

    def _decides(self, row: models.Message) -> None:
        self.needs("hub.decide_held" if row.state == models.Message.State.HELD else "hub.send_again")

    @extend_schema(
        summary="Receives a record by hand", request=shapes.NewMessage, responses={202: shapes.Message, **ERRORS}
    )
    def create(self, request: Any) -> Response:
        self.needs("hub.send_again")
        given = self.given(shapes.NewMessage)
        flow = (
            limited(models.Flow.objects.select_related("pair"), request.user, "pair").filter(pk=given["flow"]).first()
        )
        if flow is None:
            raise ValidationError({"flow": "There is no such flow, or it is of a pair that you may not see."})
        if not flow.on:
            raise Refused(f"The flow '{flow.label}' is switched off.", "Switch it on first.")
        row = receive_for(flow, Event(flow.source_entity, given["key"]), models.Message.Origin.PERSON)
        note(request.user, "received by hand", f"Message {row.pk}: {row}", pair=flow.pair)
        return Response(shapes.Message(row).data, status=202)

    @extend_schema(summary="Sends a message again", request=shapes.Anyway, responses={200: shapes.Message, **ERRORS})
    @action(detail=True, methods=["post"])
    def send_again(self, request: Any, pk: str) -> Response:
        row = self.get_object()
        self._decides(row)
        again.send_again(row, request.user, anyway=self.given(shapes.Anyway)["anyway"])
        return Response(shapes.Message(row).data)

    @extend_schema(summary="Skips a message", request=shapes.Reason, responses={200: shapes.Message, **ERRORS})
    @action(detail=True, methods=["post"])
    def skip(self, request: Any, pk: str) -> Response:
        row = self.get_object()
        self._decides(row)
        again.skip(row, self.given(shapes.Reason)["reason"], request.user)
        return Response(shapes.Message(row).data)


@documented("problems", {"state": "", "kind": "", "pair": ""})
class Problems(Rows):
    queryset = models.Problem.objects.select_related("owner")
    serializer_class = shapes.Problem
    filters: ClassVar[dict[str, Any]] = {"state": "state", "kind": "kind", "pair": "pair_id"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_problem", "POST": "hub.change_problem"}

    @extend_schema(
        summary="Changes the note of a problem", request=shapes.Note, responses={200: shapes.Problem, **ERRORS}
    )
    @action(detail=True, methods=["post"])
    def note(self, request: Any, pk: str) -> Response:
        row = self.get_object()
        before, row.note = row.note, self.given(shapes.Note)["note"]
        row.save(update_fields=["note"])
        note(request.user, "changed owner or note", row, {"note": before}, {"note": row.note}, row.pair)
        return Response(self.get_serializer(row).data)


@documented("unmapped values", {"table": ""})
class UnmappedValues(Rows):
    queryset = models.UnmappedValue.objects.select_related("table").annotate(
        waiting=Count("blocks", filter=Q(blocks__message__state=models.Message.State.DEAD_LETTER))
    )
    serializer_class = shapes.UnmappedValue
    pair_path = "table__pair"
    filters: ClassVar[dict[str, Any]] = {"table": "table_id"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_unmappedvalue"}


REFERENCES = {"pair": "pair_id", "source_key": "source_key", "target_key": "target_key"}


@documented("cross-references", REFERENCES)
class CrossReferences(Rows):
    queryset = models.CrossReference.objects.all()
    serializer_class = shapes.CrossReference
    filters = REFERENCES
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_crossreference"}


@documented("connections", {"system": ""})
class Connections(Rows):
    queryset = models.Connection.objects.all()
    serializer_class = shapes.Connection
    pair_path = ENDS
    filters: ClassVar[dict[str, Any]] = {"system": "system"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_connection", "POST": "hub.view_connection"}

    @extend_schema(summary="Pauses a connection", request=shapes.Because, responses={200: shapes.Connection, **ERRORS})
    @action(detail=True, methods=["post"])
    def pause(self, request: Any, pk: str) -> Response:
        self.needs("hub.pause_connection")
        row = self.get_object()
        pause(row, self.given(shapes.Because)["because"], request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(summary="Resumes a connection", request=None, responses={200: shapes.Connection, **ERRORS})
    @action(detail=True, methods=["post"])
    def resume(self, request: Any, pk: str) -> Response:
        self.needs("hub.pause_connection")
        row = self.get_object()
        resume(row, request.user)
        return Response(self.get_serializer(row).data)

    @extend_schema(summary="Tests a connection", request=None, responses={200: shapes.Tested, **ERRORS})
    @action(detail=True, methods=["post"])
    def test(self, request: Any, pk: str) -> Response:
        self.needs("hub.test_connection")
        found = testing.test(self.get_object())
        return Response({"ok": found.ok, "words": found.words})


@documented("pairs", {})
class Pairs(Rows):
    queryset = models.Pair.objects.all()
    serializer_class = shapes.Pair
    pair_path = "pk"
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_pair"}


@documented("flows", {"pair": ""})
class Flows(Rows):
    queryset = models.Flow.objects.select_related("current")
    serializer_class = shapes.Flow
    filters: ClassVar[dict[str, Any]] = {"pair": "pair_id"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_flow"}


@documented("mappings", {"pair": ""})
class Mappings(Rows):
    queryset = models.Mapping.objects.select_related("current")
    serializer_class = shapes.Mapping
    filters: ClassVar[dict[str, Any]] = {"pair": "pair_id"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_mapping"}


@documented("lookup tables", {"pair": "", "name": ""})
class LookupTables(Rows):
    queryset = models.LookupTable.objects.prefetch_related("entries").select_related("pair")
    serializer_class = shapes.LookupTable
    filters: ClassVar[dict[str, Any]] = {"pair": "pair_id", "name": "name"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_lookuptable", "POST": "hub.change_lookuptable"}

    @extend_schema(summary="Adds an entry", request=shapes.NewEntry, responses={201: shapes.Released, **ERRORS})
    @action(detail=True, methods=["post"])
    def entries(self, request: Any, pk: str) -> Response:
        row, given = self.get_object(), self.given(shapes.NewEntry)
        if isinstance(given["ours"], dict | list):
            raise ValidationError({"ours": "A text, a number or null."})
        try:
            released = lookups.add_entry(row, given["theirs"], given["ours"], request.user, "Over the API")
        except ValueError as error:
            raise Refused(str(error), "Change the entry in the console.", "exists") from error
        return Response({"released": released}, status=201)


@documented("sync jobs", {"connection": "", "kind": ""})
class SyncJobs(Rows):
    queryset = models.SyncJob.objects.all()
    serializer_class = shapes.SyncJob
    pair_path = "connection__pairs_as_source connection__pairs_as_target"
    filters: ClassVar[dict[str, Any]] = {"connection": "connection_id", "kind": "kind"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_syncjob", "POST": "hub.add_syncjob"}

    @extend_schema(summary="Starts a backfill", request=shapes.Backfill, responses={201: shapes.SyncJob, **ERRORS})
    def create(self, request: Any) -> Response:
        given = self.given(shapes.Backfill)
        rows = limited(models.Connection.objects.all(), request.user, ENDS)
        connection = rows.filter(pk=given["connection"]).first()
        if connection is None:
            raise ValidationError({"connection": "There is no such connection, or you may not see it."})
        flows = models.Flow.objects.filter(pair__source=connection, source_entity=given["entity"], on=True)
        if not flows.exists():
            raise ValidationError({"entity": "No flow that is on starts there, so nothing would be received."})
        if given["until"] <= given["since"]:
            raise ValidationError({"until": "It must be later than 'since'."})
        job = models.SyncJob.objects.create(
            connection=connection,
            entity=given["entity"],
            kind=models.SyncJob.Kind.BACKFILL,
            since=given["since"],
            until=given["until"],
        )
        told = {"from": str(job.since), "until": str(job.until)}
        note(request.user, "started a backfill", job, None, told)
        return Response(shapes.SyncJob(job).data, status=201)


@documented("runs", {"job": ""})
class Runs(Rows):
    queryset = models.Run.objects.all()
    serializer_class = shapes.Run
    pair_path = "job__connection__pairs_as_source job__connection__pairs_as_target"
    filters: ClassVar[dict[str, Any]] = {"job": "job_id"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_run"}


@documented("batches", {})
class Batches(Rows):
    queryset = models.Batch.objects.all()
    serializer_class = shapes.Batch
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_batch", "POST": "hub.add_batch"}

    def get_queryset(self) -> QuerySet[Any]:
        pairs = pairs_of(self.request.user)
        rows = models.Batch.objects.all()
        return rows if pairs is None else rows.filter(Q(pair__in=pairs) | Q(who=self.request.user.pk))

    @extend_schema(summary="Starts a batch", request=shapes.NewBatch, responses={201: shapes.Batch, **ERRORS})
    def create(self, request: Any) -> Response:
        given = self.given(shapes.NewBatch)
        if given["action"] == batches.SKIP and not given["reason"].strip():
            raise ValidationError({"reason": "Say why they are skipped."})
        mine = limited(models.Message.objects.all(), request.user, "flow__pair")
        ids = list(mine.filter(pk__in=given["messages"]).order_by("pk").values_list("pk", flat=True))
        try:
            batch = batches.start(
                given["action"], ids, f"Over the API: {len(ids)}", request.user, None, given["reason"]
            )
        except ValueError as error:
            raise ValidationError({"messages": str(error)}) from error
        return Response(shapes.Batch(batch).data, status=201)

    @extend_schema(summary="Cancels a batch", request=None, responses={200: shapes.Batch, **ERRORS})
    @action(detail=True, methods=["post"])
    def cancel(self, request: Any, pk: str) -> Response:
        row = self.get_object()
        if not batches.cancel(row, request.user):
            raise Refused("The batch had ended already.")
        row.refresh_from_db()
        return Response(shapes.Batch(row).data)


@documented("audit entries", {"record": "", "pair": ""})
class AuditEntries(Rows):
    queryset = models.AuditEntry.objects.select_related("who")
    serializer_class = shapes.AuditEntry
    filters: ClassVar[dict[str, Any]] = {"record": "record__startswith", "pair": "pair_id"}
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_auditentry"}


class Conservation(viewsets.GenericViewSet):
    """Every message is somewhere."""

    serializer_class = shapes.Conservation
    rights: ClassVar[dict[str, str]] = {"GET": "hub.view_message"}
    pagination_class = None

    @extend_schema(summary="Received = done + skipped + … + what is open", responses=shapes.Conservation(many=True))
    def list(self, request: Any) -> Response:
        pairs = pairs_of(request.user)
        return Response([shapes.conservation(one) for one in sums() if pairs is None or one.flow.pair_id in pairs])
