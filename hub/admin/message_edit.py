"""Edit and send: every field that would be sent, with what the ERP takes, checked before anything is sent."""

from dataclasses import dataclass
from typing import Any

from django.contrib import messages as notices
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from connectors.base import Entity, Field
from connectors.errors import ConnectorError
from hub import editing
from hub.admin.message_page import remedies
from hub.admin.personal import show_in_clear
from hub.again import STOPPED, LeftAsItIs
from hub.connecting import connector_of
from hub.models import Message
from hub.preview import Preview
from hub.sides import flat, label_of
from mappings.problems import BadRule
from mappings.texts import words

SENDABLE = ("done", "skipped")


@dataclass
class Line:
    """One field of the form."""

    name: str
    field: Field
    label: str
    mapping: str
    path: str
    ruled: Any = None
    typed: str = ""
    edited: bool = False
    problems: tuple[str, ...] = ()

    @property
    def limits(self) -> str:
        told = [f"{self.field.max_length} characters at most"] if self.field.max_length else []
        told += ["required"] if self.field.required else []
        told += [self.field.type] if self.field.type not in ("text", "choice") else []
        return ", ".join(told)

    @property
    def long(self) -> bool:
        return self.field.type == "text" and ("\n" in self.typed or len(self.typed) > 80)


def edit_page(page: Any, request: HttpRequest, message: Message) -> HttpResponse:
    if not request.user.has_perm("hub.edit_values") or not remedies(request, message)["may_decide"]:
        if message.state not in STOPPED:
            notices.error(request, f"{message} is {message.get_state_display().lower()} now: it cannot be edited.")
            return redirect("admin:hub_message_change", message.pk)
        raise PermissionDenied
    show_in_clear(request, message, "opened for editing, with personal data")
    try:
        return _Form(page, request, message).respond()
    except (ConnectorError, BadRule) as error:
        notices.error(request, f"It cannot be edited now: {error}")
        return redirect("admin:hub_message_change", message.pk)


class _Form:
    def __init__(self, page: Any, request: Any, message: Message) -> None:
        self.page, self.request, self.message = page, request, message
        self.edits = editing.standing(message)
        self.ruled = editing.look(message, {})  # what the rules alone make of it
        self.reason = " ".join(request.POST.get("reason", "").split())[:500]
        self.wrong: dict[str, str] = {}

    def respond(self) -> HttpResponse:
        if self.request.method != "POST":
            return self._shown(self._look(), asked=False)
        lines = self._lines(self.ruled)
        self.edits = self._typed(lines)
        found = self._look()
        if self.wrong or self.request.POST.get("act") != "send":
            return self._shown(found)
        if not self.reason:
            self.wrong["reason"] = "Say why: whoever compares the order with the shop later reads it."
        elif found.outcome.state in SENDABLE:
            return self._save()
        return self._shown(found)

    def _look(self) -> Preview:
        return editing.look(self.message, self.edits) if any(self.edits.values()) else self.ruled

    def _save(self) -> HttpResponse:
        changes = editing.changes(self.ruled, self.edits, self._entities(self.ruled))
        try:
            anyway = self.request.POST.get("anyway") == "yes"
            editing.save(self.message, self.edits, changes, self.reason, self.request.user, anyway=anyway)
        except LeftAsItIs as error:
            notices.error(self.request, f"{error} Nothing was changed.")
            return self._shown(self._look())
        told = f"{len(changes)} {'field' if len(changes) == 1 else 'fields'}"
        notices.success(self.request, f"{self.message} is on its way again with {told} as you gave them.")
        return redirect("admin:hub_message_change", self.message.pk)

    def _entities(self, found: Preview) -> dict[str, Entity]:
        work = found.work
        target = connector_of(self.message.flow.pair.target)
        return {name: target.entity(work.flow.mappings[name].to) for name in work.mapped} if work else {}

    def _lines(self, found: Preview) -> list[Line]:
        """The fields that are filled or have a problem, then those that are empty."""
        entities = self._entities(found)
        lines = []
        for mapping, entity in entities.items():
            mapped = found.work.mapped[mapping] if found.work else None
            values = dict(flat(mapped.record)) if mapped else {}
            for one in entity.fields:
                if one.type != "rows":
                    values.setdefault(one.name, None)
            ruled = dict(flat(self.ruled.work.mapped[mapping].record)) if self.ruled.work else {}
            for path, value in values.items():
                field = editing.field_at(entity, path)
                if field is not None and editing.editable(field):
                    name = f"{mapping}:{path}"
                    line = Line(name, field, label_of(entity, path), mapping, path, ruled.get(path), words(value))
                    lines.append(line)
        return lines

    def _typed(self, lines: list[Line]) -> editing.Edits:
        """What differs from what the rules make."""
        edits: editing.Edits = {}
        for one in lines:
            text = self.request.POST.get(one.name)
            if text is None or _even(text) == _even(words(one.ruled)):
                continue
            try:
                edits.setdefault(one.mapping, {})[one.path] = editing.value_of(one.field, text)
            except editing.Wrong as error:
                self.wrong[one.name] = error.what
        return edits

    def _shown(self, found: Preview, asked: bool = True) -> HttpResponse:
        lines = self._lines(found)
        for one in lines:
            typed = self.request.POST.get(one.name)
            one.typed = one.typed if typed is None else typed
            one.edited = one.path in self.edits.get(one.mapping, {})
            told = [self.wrong[one.name]] if one.name in self.wrong else []
            told += [
                f"{problem.what[:1].upper()}{problem.what[1:]}. {problem.remedy}"
                for problem in editing.problems_of(found, one.mapping, one.path)
            ]
            one.problems = tuple(told)
        stops = found.outcome.state not in SENDABLE
        return self.page.render(
            self.request,
            "message_edit.html",
            f"Edit {self.message} and send it",
            message=self.message,
            first=[one for one in lines if one.problems or one.edited],
            filled=[one for one in lines if not (one.problems or one.edited) and one.typed],
            empty=[one for one in lines if not (one.problems or one.edited or one.typed)],
            asked=asked,
            stops=stops,
            outcome=found.outcome,
            awaits=found.awaits,
            reason=self.reason,
            wrong_reason=self.wrong.get("reason", ""),
            newer=remedies(self.request, self.message)["newer"],
            changes=editing.changes(self.ruled, self.edits, self._entities(self.ruled)) if self.ruled.work else [],
        )


def _even(text: str) -> str:
    return text.replace("\r\n", "\n").strip()
