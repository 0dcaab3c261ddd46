"""Makes people and changes what they may do."""

from collections.abc import Iterable

from django.contrib.auth.models import Group, User
from django.db import transaction

from hub.models import Pair, Person
from hub.people import ROLE_NAMES


@transaction.atomic
def make_person(
    name: str, roles: Iterable[str], password: str, *, every_pair: bool = True, pairs: Iterable[Pair] = ()
) -> User:
    """A user of this name with these roles and no other; one that is there already is changed. Raises ValueError for a
    role that does not exist."""
    wanted = set(roles)
    if unknown := sorted(wanted - set(ROLE_NAMES)):
        raise ValueError(f"There is no role {unknown[0]!r}; there are {', '.join(ROLE_NAMES)}.")
    user, _ = User.objects.get_or_create(username=name)
    user.is_staff = user.is_active = True
    user.set_password(password)
    user.save()
    user.groups.set(Group.objects.get_or_create(name=one)[0] for one in sorted(wanted))
    person, _ = Person.objects.get_or_create(user=user)
    person.every_pair = every_pair
    person.save()
    person.pairs.set(pairs)
    return user
