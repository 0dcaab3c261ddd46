"""People: who may sign in, with which roles, for which pairs."""

from typing import Any

from axes.utils import reset
from django.contrib import admin
from django.contrib import messages as notices
from django.contrib.auth.models import Group, User
from django.contrib.auth.password_validation import validate_password
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.urls import path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django_otp import devices_for_user, user_has_device

from hub.admin import words
from hub.admin.base import ReadPage
from hub.models import AuditEntry, Pair, Person
from hub.people import ADMINISTRATOR, ROLES, roles_of
from hub.persons import make_person

ACTS = ("unlock", "reset-second-factor")


@admin.register(Person)
class PersonPage(ReadPage):
    pair_path = ""
    list_display = ("shown_name", "roles", "shown_pairs", "last_seen", "second_factor", "shown_active")
    list_display_links = None
    list_select_related = ("user",)
    search_fields = ("user__username", "user__email", "user__first_name", "user__last_name")
    ordering = ("user__username",)
    list_before_template = "console/person_list_top.html"

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("user__groups", "pairs")

    def get_urls(self) -> list[Any]:
        wrap = self.admin_site.admin_view
        own = [path(f"<int:pk>/{act}/", wrap(self._act(act)), name=f"hub_person_{act}") for act in ACTS]
        own += [path("new/", wrap(self.new), name="hub_person_new")]
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        may = {"may_add": request.user.has_perm("hub.add_person")}
        return super().changelist_view(request, {**(extra_context or {}), **may})

    def row(self, request: HttpRequest, pk: int | str) -> Person:
        found = self.get_queryset(request).select_related("user").filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None or not self.has_view_permission(request):
            raise Http404("There is no such person.")
        return found

    def new(self, request: Any) -> HttpResponse:
        if not request.user.has_perm("hub.add_person"):
            raise PermissionDenied
        wrong: dict[str, str] = {}
        if request.method == "POST":
            wrong = _wrong(request.POST, None)
            if not wrong:
                person = _saved(request.POST, None)
                self.note(request, "added", person, None, _told(person))
                notices.success(request, f"{person} can sign in now.")
                return redirect("admin:hub_person_change", person.pk)
        return self._form(request, None, request.POST, wrong)

    def change_view(
        self, request: Any, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        person = self.row(request, object_id)
        if request.method != "POST":
            return self._form(request, person, None, {})
        if not request.user.has_perm("hub.change_person"):
            raise PermissionDenied
        wrong = _wrong(request.POST, person) or _locks_out(request, person)
        if wrong:
            return self._form(request, person, request.POST, wrong)
        before = _told(person)
        saved = _saved(request.POST, person)
        after = _told(saved)
        changed = {name for name in after if before[name] != after[name]}
        if request.POST.get("password"):
            self.note(request, "set a new password", saved)
        if changed:
            old, new = ({name: told[name] for name in changed} for told in (before, after))
            self.note(request, "changed", saved, old, new)
        notices.success(request, "Saved." if changed or request.POST.get("password") else "Nothing was changed.")
        return redirect("admin:hub_person_change", saved.pk)

    def _form(self, request: HttpRequest, person: Person | None, data: Any, wrong: dict[str, str]) -> HttpResponse:
        user = person.user if person else User()
        roles = set(data.getlist("roles")) if data else (roles_of(user) if person else set())
        pairs = set(data.getlist("pairs")) if data else {str(one.pk) for one in person.pairs.all()} if person else set()
        every = data.get("every_pair") == "on" if data else bool(person and person.every_pair)
        may = request.user.has_perm("hub.change_person" if person else "hub.add_person")
        return self.render(
            request,
            "person.html",
            str(person) if person else "Add a person",
            person=person,
            name=data.get("name", "") if data else user.username,
            full_name=data.get("full_name", "") if data else user.get_full_name(),
            email=data.get("email", "") if data else user.email,
            active=data.get("active") == "on" if data else (user.is_active if person else True),
            roles=[(name, text, name in roles) for name, text in ROLES.items()],
            pairs=[(one, str(one.pk) in pairs) for one in Pair.objects.order_by("label")],
            every=every,
            wrong=wrong,
            may_change=may,
            second_factor=bool(person and user_has_device(user)),
            tokens=user.api_tokens.filter(revoked_at=None) if person else [],
            history=AuditEntry.objects.filter(record__startswith=f"Person {person.pk}:").order_by("-pk")[:20]
            if person
            else [],
        )

    def _act(self, act: str) -> Any:
        def view(request: Any, pk: int) -> HttpResponse:
            if request.method != "POST":
                return HttpResponseNotAllowed(["POST"])
            person = self.row(request, pk)
            if not request.user.has_perm("hub.change_person"):
                raise PermissionDenied
            if act == "unlock":
                reset(username=person.user.username)
                self.note(request, "unlocked signing in", person)
                notices.success(request, f"{person} can sign in again.")
            else:
                for device in devices_for_user(person.user, confirmed=None):
                    device.delete()
                self.note(request, "reset the second factor", person)
                notices.success(request, f"{person} signs in with the password alone until a new one is set up.")
            return redirect("admin:hub_person_change", person.pk)

        return view

    @admin.display(description="Person", ordering="user__username")
    def shown_name(self, row: Person) -> SafeString:
        name = row.user.get_full_name() or row.user.username
        return format_html('<a class="hub-link" href="{}/change/">{}</a>', row.pk, name)

    @admin.display(description="Roles")
    def roles(self, row: Person) -> str:
        return ", ".join(sorted(one.name for one in row.user.groups.all())) or "none"

    @admin.display(description="Pairs")
    def shown_pairs(self, row: Person) -> str:
        return "every pair" if row.every_pair else ", ".join(str(one) for one in row.pairs.all()) or "none"

    @admin.display(description="Last sign-in")
    def last_seen(self, row: Person) -> str:
        return words.moment(row.user.last_login) or "never"

    @admin.display(description="Second factor")
    def second_factor(self, row: Person) -> str:
        return "on" if user_has_device(row.user) else "off"

    @admin.display(description="Active")
    def shown_active(self, row: Person) -> SafeString:
        return words.badge("Active", "good") if row.user.is_active else words.badge("Switched off", "warn")


def _wrong(data: Any, person: Person | None) -> dict[str, str]:
    wrong = {}
    name = data.get("name", "").strip()
    try:
        UnicodeUsernameValidator()(name)
    except ValidationError as error:
        wrong["name"] = " ".join(error.messages)
    if len(name) > 150:
        wrong["name"] = "150 characters at most."
    if User.objects.filter(username=name).exclude(pk=person.user_id if person else 0).exists():
        wrong["name"] = f"There is somebody called {name!r} already."
    if unknown := set(data.getlist("roles")) - ROLES.keys():
        wrong["roles"] = f"There is no role {sorted(unknown)[0]!r}."
    if fault := _password_fault(data, name, person):
        wrong["password"] = fault
    return wrong


def _password_fault(data: Any, name: str, person: Person | None) -> str:
    password = data.get("password", "")
    if not password:
        return "" if person else "Give a first password."
    if password != data.get("again", ""):
        return "The two are not the same."
    try:
        validate_password(password, person.user if person else User(username=name))
    except ValidationError as error:
        return " ".join(error.messages)
    return ""


def _locks_out(request: Any, person: Person) -> dict[str, str]:
    """Nobody switches themselves off, and one administrator is always left."""
    active, roles = request.POST.get("active") == "on", request.POST.getlist("roles")
    if person.user_id == request.user.pk and not active:
        return {"active": "You cannot switch yourself off."}
    others = User.objects.filter(is_active=True, groups__name=ADMINISTRATOR).exclude(pk=person.user_id)
    was = ADMINISTRATOR in roles_of(person.user)
    if was and (not active or ADMINISTRATOR not in roles) and not others.exists():
        return {"roles": "This is the last administrator: give the role to somebody else first."}
    return {}


@transaction.atomic
def _saved(data: Any, person: Person | None) -> Person:
    name, every = data.get("name", "").strip(), data.get("every_pair") == "on"
    pairs = Pair.objects.filter(pk__in=[one for one in data.getlist("pairs") if one.isdecimal()])
    if person is None:
        user = make_person(name, data.getlist("roles"), data["password"], every_pair=every, pairs=pairs)
    else:
        user = User.objects.get(pk=person.user_id)
        user.groups.set(Group.objects.filter(name__in=data.getlist("roles")))
        Person.objects.filter(pk=person.pk).update(every_pair=every)
        person.pairs.set(pairs)
        if data.get("password"):
            user.set_password(data["password"])
    first, _, last = data.get("full_name", "").strip().partition(" ")
    user.username, user.first_name, user.last_name = name, first[:150], last[:150]
    user.email, user.is_active, user.is_staff = data.get("email", "").strip()[:254], data.get("active") == "on", True
    user.save()
    return Person.objects.select_related("user").get(user=user)


def _told(person: Person) -> dict[str, Any]:
    user = User.objects.get(pk=person.user_id)
    return {
        "name": user.username,
        "full name": user.get_full_name(),
        "e-mail": user.email,
        "active": user.is_active,
        "roles": sorted(user.groups.values_list("name", flat=True)),
        "pairs": "every pair" if person.every_pair else sorted(str(one) for one in person.pairs.all()),
    }
