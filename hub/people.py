"""Who may do what: a role is a group of users, and this table says its rights. For which pairs says the person's row.

Rights are Django's (`hub.view_message`), so that every page, the API and templates ask in one way: `user.has_perm`.
"""

from typing import Any, TypeVar

from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.models import Group
from django.db.models import Model, Q, QuerySet

from hub.models import Pair

Row = TypeVar("Row", bound=Model)
OPERATOR, INTEGRATOR, APPROVER, MANAGER, AUDITOR, ADMINISTRATOR = ROLE_NAMES = (
    "operator",
    "integrator",
    "approver",
    "manager",
    "auditor",
    "administrator",
)


def _rights(names: str) -> frozenset[str]:
    return frozenset(f"hub.{one}" for one in names.split())


READS = _rights(
    "view_message view_deadletter view_attempt view_problem view_unmappedvalue view_crossreference view_connection "
    "view_pair view_flow view_flowversion view_mapping view_mappingversion view_rule view_lookuptable "
    "view_lookupentry view_lookupversion view_syncjob view_run view_batch view_edit"
)
SENDS = _rights("send_again decide_held add_batch change_batch")
ENTRIES = _rights("change_lookuptable add_lookupentry change_lookupentry delete_lookupentry change_unmappedvalue")
FETCHES = _rights("pause_connection test_connection add_syncjob")
BUILDS = _rights(
    "add_connection change_connection delete_connection add_pair change_pair change_flow add_flowversion "
    "change_flowversion change_mapping add_mappingversion change_mappingversion add_rule change_rule delete_rule "
    "change_syncjob"
)
LOOKS_INTO = _rights("view_auditentry view_person view_apitoken")
PEOPLE = _rights("add_person change_person add_apitoken change_apitoken")
RIGHTS: dict[str, frozenset[str]] = {
    OPERATOR: READS | SENDS | ENTRIES | FETCHES | _rights("edit_values unmask change_problem"),
    INTEGRATOR: READS | SENDS | ENTRIES | FETCHES | BUILDS,
    APPROVER: READS | _rights("decide_held"),
    MANAGER: READS,
    AUDITOR: READS | LOOKS_INTO,
    ADMINISTRATOR: READS
    | SENDS
    | ENTRIES
    | FETCHES
    | BUILDS
    | LOOKS_INTO
    | PEOPLE
    | _rights("edit_values unmask change_problem"),
}
ROLES: dict[str, str] = {
    OPERATOR: "Mends what has stopped: dead letters, unmapped values, problems; pauses connections.",
    INTEGRATOR: "Builds: connections, pairs, flows, mappings, lookup tables, sync jobs.",
    APPROVER: "Decides about held messages.",
    MANAGER: "Reads everything that is about messages.",
    AUDITOR: "Reads everything, audit entries and people included.",
    ADMINISTRATOR: "May do everything, and says who may do what.",
}
EVERYWHERE = {ADMINISTRATOR}  # roles that no pair limits


class RoleBackend(ModelBackend):
    """A user's rights are those of the user's roles; rows of Django's own permissions count for nothing."""

    def get_all_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        return set().union(*(RIGHTS.get(one, frozenset()) for one in roles_of(user_obj)))

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        return perm in self.get_all_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        return any(one.startswith(f"{app_label}.") for one in self.get_all_permissions(user_obj))


def roles_of(user: Any) -> set[str]:
    """By name. Asked once a request: the user's object keeps them. One that acts through an API token has that token's
    role alone."""
    if not hasattr(user, "_roles"):
        user._roles = set(user.groups.values_list("name", flat=True))
    kept: set[str] = user._roles
    return kept


def pairs_of(user: Any) -> set[int] | None:
    """The ids of the pairs for which the user may act; None is every pair."""
    if user.is_anonymous:
        return set()
    if user.is_superuser or roles_of(user) & EVERYWHERE:
        return None
    if not hasattr(user, "_pairs"):
        person = getattr(user, "person", None)
        every = person is not None and person.every_pair
        user._pairs = None if every else set(person.pairs.values_list("pk", flat=True)) if person else set()
    kept: set[int] | None = user._pairs
    return kept


def limited(rows: QuerySet[Row], user: Any, path: str) -> QuerySet[Row]:
    """Only the rows of the user's pairs. `path` leads from the row to its pair ("flow__pair"); several, separated by
    blanks, are alternatives ("pairs_as_source pairs_as_target")."""
    pairs = pairs_of(user)
    if pairs is None or not path:
        return rows
    paths = path.split()
    if len(paths) == 1 and "pairs_as" not in path:
        return rows.filter(**{f"{path}__in": pairs})
    any_of = Q()
    for one in paths:
        any_of |= Q(**{f"{one}__in": pairs})
    return rows.filter(pk__in=rows.model._default_manager.filter(any_of).values("pk"))


def may_see(user: Any, pair: Pair | int) -> bool:
    pairs = pairs_of(user)
    return pairs is None or (pair.pk if isinstance(pair, Pair) else pair) in pairs


def make_roles(**signal: Any) -> None:
    """The group of every role; after each migration, so that it is there wherever the tables are."""
    for name in ROLE_NAMES:
        Group.objects.get_or_create(name=name)
