"""People who open the console in tests, and what its pages say."""

import html
import re

from django.contrib.auth.models import Group, User
from django.test import Client

from hub.models import Person


def somebody(role, name="", pairs=None):
    """A person of this role; for every pair unless some are named."""
    user = User.objects.create_user(name or role, password="a long pass phrase", is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    person = Person.objects.create(user=user, every_pair=pairs is None)
    person.pairs.set(pairs or [])
    return user


def console(role, **options):
    """A browser's session of somebody with this role."""
    client = Client()
    client.force_login(somebody(role, **options), backend="hub.people.RoleBackend")
    return client


def text_of(answer):
    """What a page says, without its mark-up."""
    body = re.sub(r"(?s)<(script|style|template).*?</\1>", " ", answer.content.decode())
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body))).strip()
