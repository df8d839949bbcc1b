from __future__ import annotations

import json
import re
from html import unescape
from uuid import UUID

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from identity_tracking import merge
from identity_tracking.ingest.process import process
from identity_tracking.models import MergeOperation, Person
from tests.factories import LeadFactory, PersonFactory
from tests.saying import identify, person
from tests.web import configure

pytestmark = pytest.mark.django_db


@pytest.fixture
def two():
    process(
        [
            identify(id="A", properties={"plan": "pro", "city": "Bern"}, trusted=True),
            identify(id="B", properties={"plan": "free", "size": "L"}, anonymous_id="x", at=1),
        ]
    )
    return person(id="A"), person(id="B")


def merge_page(primary, secondary):
    return reverse("admin:identity_tracking_person_merge", args=[primary.pk, secondary.pk])


def rows(html):
    """Return what each row of the comparison says: of the two, and of whom they become."""
    table = html.split("<tbody>")[1].split("</tbody>")[0]
    cells = [re.findall(r"<t[dh].*?>(.*?)</t[dh]>", row, re.DOTALL) for row in table.split("<tr>")]
    plain = [
        [" ".join(re.sub("<.*?>", "", unescape(cell)).split()) for cell in row] for row in cells
    ]
    return {row[0]: row[1:] for row in plain if row}


def test_a_merge_is_shown_side_by_side_before_it_is_done(staff, two):
    shown = rows(staff.get(merge_page(*two)).content.decode())

    assert shown["id"] == ["A", "B", "A"]
    assert shown["plan"] == ["pro", "free", "pro"]
    assert shown["city"] == ["Bern", "", "Bern"]
    assert shown["size"] == ["", "L", "L filled"]


def test_what_is_shown_is_what_is_done(staff, two):
    process([identify(id="A", properties={"size": None}, at=3)])
    shown = rows(staff.get(merge_page(*two)).content.decode())

    staff.post(merge_page(*two))

    kept = {name: result.removesuffix(" filled") for name, (*_, result) in shown.items()}
    assert {name: kept[name] for name in kept.keys() & {"plan", "city", "size"}} == (
        person(id="A").attributes
    )


def test_to_be_shown_a_merge_leaves_nothing(staff, two):
    staff.get(merge_page(*two))

    assert not MergeOperation.objects.exists()
    assert person(id="B") == two[1]


def test_the_other_one_may_be_kept_instead(staff, two):
    assert merge_page(*reversed(two)) in staff.get(merge_page(*two)).content.decode()


def test_two_are_merged_with_who_said_so_and_why(staff, two, admin_user):
    response = staff.post(merge_page(*two), {"reason": " one human "}, follow=True)

    operation = MergeOperation.objects.get()
    assert (operation.primary, operation.secondary) == two
    assert (operation.by, operation.reason) == (str(admin_user.pk), "one human")
    assert person(id="B") == two[0]
    assert "The two are one person now." in response.content.decode()


def test_a_merge_is_in_the_admins_log_without_a_name(staff, two, admin_user):
    staff.post(merge_page(*two))

    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (admin_user, str(two[0].pk))
    assert entry.get_edited_object() == two[0]
    assert entry.object_repr == "The two are one person now."


def test_a_person_is_not_merged_with_themselves(staff, two):
    response = staff.get(merge_page(two[0], two[0]), follow=True)

    assert "A person cannot be merged with themselves." in response.content.decode()
    assert not MergeOperation.objects.exists()


def test_who_folded_into_another_is_not_merged(staff, two):
    merge(*two)

    assert staff.get(merge_page(*two)).status_code == 404


def test_somebody_who_does_not_exist_is_not_merged(staff, two):
    nobody = Person(pk=UUID(int=1))

    assert staff.post(merge_page(two[0], nobody)).status_code == 404


def select(staff, *people):
    data = {"action": "merge_two", "_selected_action": [one.pk for one in people]}
    return staff.post(reverse("admin:identity_tracking_person_changelist"), data, follow=True)


def test_two_are_selected_in_the_list(staff, two):
    response = select(staff, *reversed(two))

    assert response.request["PATH_INFO"] == merge_page(*two)


@pytest.mark.parametrize("count", [1, 3])
def test_other_numbers_than_two_are_not_merged(staff, count):
    html = select(staff, *PersonFactory.create_batch(count)).content.decode()

    assert "Select two people to merge." in html


def other_page(one, **query):
    return reverse("admin:identity_tracking_person_other", args=[one.pk], query=query)


@pytest.mark.parametrize("term", ["B", " x ", "cio_id"])
def test_the_other_one_is_searched_by_any_identifier(staff, two, term):
    term = two[1].cio_id if term == "cio_id" else term

    html = staff.get(other_page(two[0], q=term)).content.decode()

    assert merge_page(*two) in html


def test_nobody_is_offered_to_themselves(staff, two):
    assert "Nobody else is called that." in staff.get(other_page(two[0], q="A")).content.decode()


def test_a_search_for_many_takes_few_queries(staff, two, django_assert_max_num_queries):
    LeadFactory.create_batch(30)

    with django_assert_max_num_queries(8):
        html = staff.get(other_page(two[0], q="lead-")).content.decode()

    assert html.count("Compare") == 20


def test_searching_takes_somebody_to_merge_with(staff):
    folded = LeadFactory(root=PersonFactory())

    assert staff.get(other_page(folded)).status_code == 404


def test_without_permission_nobody_is_merged(staff_with, two):
    clerk = staff_with("view_person")

    answers = [
        clerk.get(merge_page(*two)),
        clerk.post(merge_page(*two)),
        clerk.get(other_page(two[0])),
    ]

    assert [answer.status_code for answer in answers] == [403] * 3
    assert not MergeOperation.objects.exists()


def test_without_permission_no_button_is_there(staff_with, two):
    clerk = staff_with("view_person")

    assert other_page(two[0]) not in clerk.read("person", two[0])
    assert "merge_two" not in clerk.read("person")


def test_the_permission_to_merge_is_enough(staff_with, two):
    clerk = staff_with("view_person", "merge_person")

    assert other_page(two[0]) in clerk.read("person", two[0])
    assert "merge_two" in clerk.read("person")
    assert clerk.post(merge_page(*two)).status_code == 302


def test_whoever_may_not_see_people_is_led_to_the_index(staff_with, two):
    clerk = staff_with("merge_person", "delete_person")

    answers = [clerk.post(merge_page(*two)), clerk.post(deed_page("delete", two[0]))]

    assert [answer["Location"] for answer in answers] == [reverse("admin:index")] * 2


def test_a_post_without_a_token_is_refused(staff, two):
    staff.handler.enforce_csrf_checks = True

    assert staff.post(merge_page(*two)).status_code == 403


def deed_page(deed, one):
    return reverse(f"admin:identity_tracking_person_{deed}", args=[one.pk])


@pytest.fixture
def _may_erase(settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "SUPPRESSION_KEY": "k" * 32}


@pytest.mark.parametrize("deed", ["delete", "erase"])
@pytest.mark.usefixtures("_may_erase")
def test_what_will_be_gone_is_counted_before_it_goes(staff, two, deed):
    html = staff.get(deed_page(deed, two[1])).content.decode()

    assert "2 identifiers, 1 activity" in html
    assert person(id="B") == two[1]


@pytest.mark.parametrize(("deed", "done"), [("delete", "deleted"), ("erase", "erased")])
@pytest.mark.usefixtures("_may_erase")
def test_a_person_is_gone_with_an_entry_that_does_not_tell_who(staff, two, deed, done, admin_user):
    response = staff.post(deed_page(deed, two[1]), follow=True)

    assert Person.objects.find(id="B") is None
    assert person(id="A") == two[0]
    assert f"The person was {done}." in response.content.decode()
    entry = LogEntry.objects.get()
    told = f"The person was {done}."
    assert (entry.user, entry.object_id, entry.object_repr) == (admin_user, None, told)
    assert told in staff.get(reverse("admin:index")).content.decode()


@pytest.mark.usefixtures("_may_erase")
def test_who_was_erased_does_not_come_back(staff, two):
    staff.post(deed_page("erase", two[1]))

    process([identify(id="B", at=9)])

    assert Person.objects.find(id="B") is None


@pytest.mark.parametrize("way", ["get", "post"])
def test_without_a_key_nobody_is_erased_and_it_says_why(staff, two, way, settings):
    configure(settings, API_KEY="")
    response = getattr(staff, way)(deed_page("erase", two[1]), follow=True)

    assert "the setting SUPPRESSION_KEY is missing" in response.content.decode()
    assert person(id="B") == two[1]


@pytest.mark.parametrize("deed", ["delete", "erase"])
@pytest.mark.usefixtures("_may_erase")
def test_each_has_its_own_permission(staff_with, two, deed):
    other = {"delete": "erase", "erase": "delete"}[deed]
    clerk = staff_with("view_person", f"{other}_person")

    answers = [clerk.get(deed_page(deed, two[1])), clerk.post(deed_page(deed, two[1]))]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert deed_page(deed, two[1]) not in clerk.read("person", two[1])
    assert deed_page(other, two[1]) in clerk.read("person", two[1])
    assert clerk.post(deed_page(other, two[1])).status_code == 302


def test_no_list_deletes_rows_as_they_are(staff, two):
    assert "delete_selected" not in staff.read("person")


@pytest.mark.parametrize("key", ["0", "%", "00000000-0000-0000-0000-000000000001"])
def test_nobody_is_deleted_who_is_not_there(staff, key):
    assert staff.post(f"/admin/identity_tracking/person/{key}/delete/").status_code == 404


@pytest.mark.parametrize("written_as", ["json", "csv"])
def test_a_person_is_handed_out_as_a_file(staff, two, written_as):
    response = staff.post(deed_page("export", two[1]), {"format": written_as})

    content = response.getvalue().decode()
    name = f'attachment; filename="{two[1].cio_id}.{written_as}"'
    assert response["Content-Disposition"] == name
    assert content.startswith({"json": "{", "csv": "time,type,name"}[written_as])
    assert '"plan": "free"' in content.replace('""', '"')
    assert LogEntry.objects.get().object_id == str(two[1].pk)


def test_a_person_is_handed_out_whole_in_json_unless_asked_otherwise(staff, two):
    response = staff.post(deed_page("export", two[1]), {"format": "../x"})

    assert json.loads(response.getvalue())["id"] == "B"


def test_what_is_handed_out_is_said_before(staff, two):
    assert "2 identifiers, 1 activity" in staff.get(deed_page("export", two[1])).content.decode()
    assert not LogEntry.objects.exists()


def test_without_permission_nobody_is_exported(staff_with, two):
    clerk, page = staff_with("view_person"), deed_page("export", two[1])

    assert [clerk.get(page).status_code, clerk.post(page).status_code] == [403, 403]
    assert page not in clerk.read("person", two[1])
