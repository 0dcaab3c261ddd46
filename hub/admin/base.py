"""What every page of the console shares: rights by role, rows by pair, an audit entry for each change."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import BaseFormSet, BaseInlineFormSet, ModelForm
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin, StackedInline, TabularInline

from hub import audit
from hub.models import Pair
from hub.people import limited

Values = dict[str, Any]


class ByPair:
    """`pair_path` leads from a row to its pair ("flow__pair"); several, separated by blanks, are alternatives, and an
    empty one is for rows that no pair limits."""

    pair_path: ClassVar[str] = "pair"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        return limited(super().get_queryset(request), request.user, self.pair_path)  # type: ignore[misc]


class Page(ByPair, ModelAdmin):
    """Who may see and change says the role (`hub.people`). Nothing is deleted here unless a page says so itself, and
    what is changed leaves an audit entry with the values before and after.

    Values of `unaudited` fields are named in entries but not shown.
    """

    actions: Any = None
    list_per_page = 50
    show_full_result_count = False
    unaudited: ClassVar[tuple[str, ...]] = ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Raises Http404: what happened to a row stands on its own page and in the audit entries."""
        raise Http404("See the record's page, and the audit entries.")

    def render(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """A page of our own in the console's frame; `template` stands in templates/console/."""
        request.current_app = self.admin_site.name
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "page": self}
        return TemplateResponse(request, f"console/{template}", {**frame, **context})

    def pair_of(self, row: Any) -> Pair | None:
        """The pair that the row's audit entries belong to."""
        for name in self.pair_path.split()[0].split("__") if self.pair_path else ():
            row = getattr(row, name, None)
        return row if isinstance(row, Pair) else None

    def save_model(self, request: HttpRequest, obj: Model, form: ModelForm, change: bool) -> None:
        before = self._standing(obj, form.changed_data) if change else None
        super().save_model(request, obj, form, change)
        if form.changed_data or not change:
            self.note(request, "changed" if change else "added", obj, before, self._told(form))

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        self.note(request, "deleted", obj)
        super().delete_model(request, obj)

    def save_formset(self, request: HttpRequest, form: ModelForm, formset: BaseInlineFormSet, change: bool) -> None:
        before = {one.instance.pk: self._standing(one.instance, one.changed_data) for one in formset.initial_forms}
        super().save_formset(request, form, formset, change)
        self._note_rows(request, form.instance, formset, before)

    def _note_rows(self, request: HttpRequest, owner: Model, formset: BaseFormSet, before: Values) -> None:
        added, changed = formset.new_objects, formset.changed_objects  # type: ignore[attr-defined]
        gone = formset.deleted_objects  # type: ignore[attr-defined]
        told = {id(one.instance): self._told(one) for one in formset.forms}
        for row in added:
            self.note(request, f"added: {row}", owner, None, told.get(id(row)))
        for row, _ in changed:
            self.note(request, f"changed: {row}", owner, before.get(row.pk), told.get(id(row)))
        for row in gone:
            self.note(request, f"deleted: {row}", owner)

    def note(
        self, request: HttpRequest, what: str, row: Model, before: Values | None = None, after: Values | None = None
    ) -> None:
        audit.note(request.user, what[:200], row, before, after, self.pair_of(row))

    def _standing(self, row: Model, names: list[str]) -> Values:
        stands = type(row)._default_manager.filter(pk=row.pk).first()
        known = [one for one in names if stands and hasattr(stands, one)]
        return {one: "(not shown)" if one in self.unaudited else _shown(getattr(stands, one)) for one in known}

    def _told(self, form: ModelForm) -> Values:
        values = {name: form.cleaned_data.get(name) for name in form.changed_data}
        return {one: "(not shown)" if one in self.unaudited else _shown(value) for one, value in values.items()}

    # Django's own log would tell the same a second time, and can be deleted.
    def log_addition(self, *args: Any) -> None:
        """Nothing: see `note`."""

    def log_change(self, *args: Any) -> None:
        """Nothing: see `note`."""

    def log_deletions(self, *args: Any) -> None:
        """Nothing: see `note`."""


class ReadPage(Page):
    """For rows that only the hub writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def frame(request: Any, template: str, title: str, **context: Any) -> TemplateResponse:
    """A page of no single model in the console's frame."""
    request.current_app = admin.site.name
    shared = {**admin.site.each_context(request), "title": title}
    return TemplateResponse(request, f"console/{template}", {**shared, **context})


class Rows(TabularInline):
    extra = 0
    tab = False


class Parts(StackedInline):
    extra = 0


def _shown(value: Any) -> Any:
    if isinstance(value, Model):
        return str(value)
    if isinstance(value, QuerySet):
        return [str(one) for one in value]
    if hasattr(value, "all"):
        return [str(one) for one in value.all()]
    return value
