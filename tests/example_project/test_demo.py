from __future__ import annotations

from io import StringIO

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import User
from django.core.management import call_command

from example_project.cast import TOLD, customer
from example_project.shop.management.commands.demo import Command
from example_project.week import customers
from identity_tracking.models import (
    Activity,
    Conflict,
    Identifier,
    ObjectRelationship,
    Ownership,
    Person,
)
from identity_tracking.models.conflict import Code

pytestmark = pytest.mark.django_db

PEOPLE = 10  # each kind of customer once


def demo() -> str:
    out = StringIO()
    call_command("demo", people=PEOPLE, no_serve=True, stdout=out)
    return out.getvalue()


def test_the_week_has_everybody():
    demo()

    assert Person.objects.identified().count() >= 5
    assert Person.objects.leads().count() >= 4
    assert Identifier.objects.visitors().unowned().count() >= 50
    assert ObjectRelationship.objects.exists()


def test_the_week_has_what_goes_wrong():
    demo()

    codes = set(Conflict.objects.values_list("code", flat=True))
    assert codes == {Code.EMAIL_OF_TWO_IDS, Code.LINK_ELSEWHERE}
    assert Ownership.objects.exclude(after=None).exists()  # the gap on the shared tablet


def test_a_second_run_adds_nothing():
    demo()
    models = (Activity, Conflict, Identifier, ObjectRelationship, Ownership, Person, User)
    before = [set(model.objects.values_list("pk", flat=True)) for model in models]

    said = demo()

    assert [set(model.objects.values_list("pk", flat=True)) for model in models] == before
    assert "0 new messages" in said


def test_more_people_only_add():
    demo()
    before = set(Activity.objects.values_list("pk", flat=True))

    call_command("demo", people=PEOPLE + 3, no_serve=True, stdout=StringIO())

    assert before < set(Activity.objects.values_list("pk", flat=True))


def test_maya_kept_what_she_did_before_she_had_an_account():
    demo()

    maya = Person.objects.find(email="maya.lindqvist@example.com")
    assert maya is not None
    assert str(maya) == "Maya Lindqvist"
    assert maya.user_id == str(User.objects.get(username="maya").pk)
    assert any(activity.is_anonymous for activity in maya.activities)
    kinds = {row.object.object_type for row in maya.relationships}
    assert kinds == {"club", "company", "course", "order"}


def test_the_administrator_gets_a_new_password_each_time():
    first = demo().rpartition("password ")[2].split()[0]
    second = demo().rpartition("password ")[2].split()[0]

    assert first != second
    assert authenticate(username="admin", password=first) is None
    administrator = authenticate(username="admin", password=second)
    assert isinstance(administrator, User)
    assert administrator.is_superuser


def test_it_says_where_the_shop_and_the_admin_are():
    said = demo()

    assert "http://127.0.0.1:8000/ " in said
    assert "http://127.0.0.1:8000/admin/" in said


class Terminal(StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("out", "last"),
    [
        (StringIO(), "Who came once: 30 people\n"),
        (Terminal(), f"\rWho came once          {'━' * 30}      30 of 30 people\n"),
    ],
)
def test_it_shows_how_far_it_is(out, last):
    sizes = []

    def work(some):
        sizes.append(len(some))
        return len(some)

    new = Command(stdout=out).step("Who came once", range(30), work, 20, "people")

    assert (new, sizes) == (30, [20, 10])
    assert out.getvalue().endswith(last)


def test_of_a_large_demo_most_come_once():
    accounts = {one.username for one in customers(TOLD + 10)}
    told = {one.username for one in customers(TOLD)}

    brief = [customer(index) for index in range(TOLD, TOLD + 10)]

    assert {one.kind for one in brief} == {"drops in", "leaves an email"}
    assert accounts - told == {one.username for one in brief if one.kind == "drops in"}
