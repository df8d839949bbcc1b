from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from identity_tracking import merge
from identity_tracking.admin import belongings, history, paging, person_page, timeline
from identity_tracking.identifiers import Kind
from identity_tracking.ingest.process import process
from identity_tracking.messages import (
    RELATIONSHIPS,
    ObjectRef,
    Relation,
    Type,
    relations_as_sent,
)
from identity_tracking.models import Activity
from tests.factories import (
    START,
    ActivityFactory,
    ClaimFactory,
    ConflictFactory,
    IdentifierFactory,
    LeadFactory,
    ObjectRelationshipFactory,
    OwnershipFactory,
    PersonFactory,
)
from tests.saying import identify, page, track
from tests.saying import person as somebody

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


def get_username(user):
    return user.get_username()


def written(trusted, message_id="m-1", **more):
    return {
        "at": "2026-11-21T10:00:00.000001+00:00",
        "source": "shop",
        "trusted": trusted,
        "message_id": message_id,
        **more,
    }


def test_a_page_opens_with_who_it_is(staff):
    person = PersonFactory(
        user_id="42", email="ada@example.com", attributes={"name": "Ada Lovelace"}
    )

    text = staff.text("person", person)

    assert text.split("Identifiers")[0].startswith(
        f"AL Ada Lovelace id 42 email ada@example.com cio_id {person.cio_id}"
    )


def test_a_lead_is_called_one(staff):
    assert "lead" in staff.text("person", LeadFactory(email="ada@example.com"))


def test_an_identifier_says_why_it_is_theirs(staff):
    person = PersonFactory(user_id="42")
    visitor = IdentifierFactory(value="visitor-x")
    OwnershipFactory(person=person, identifier=visitor)
    ClaimFactory(
        weak=visitor,
        target=person.anchor,
        activity__trusted=True,
        activity__timestamp=START,
    )

    text = staff.text("person", person)

    assert "id 42 names this person itself" in text
    assert "visitor-x since Nov. 2, 2026, identify (trusted) claimed for id 42 , by a" in text


def test_an_unproven_claim_is_called_so(staff):
    person = PersonFactory(user_id="42", email="ada@example.com")
    email = IdentifierFactory(kind=Kind.EMAIL, value="ada@example.com")
    ClaimFactory(weak=email, target=person.anchor, firm=False, activity__timestamp=START)

    text = staff.text("person", person)

    assert "since Nov. 2, 2026, identify (unproven)" in text
    assert "by an unproven message from shop" in text
    assert "counts until" not in text


def test_a_claim_that_may_yet_lose_is_called_so_unless_the_email_is_shown(staff):
    person = PersonFactory(user_id="42", email="ada@example.com")
    other = IdentifierFactory(kind=Kind.EMAIL, value="other@example.com")
    OwnershipFactory(person=person, identifier=other)
    ClaimFactory(weak=other, target=person.anchor, firm=False)

    text = staff.text("person", person)

    assert text.count("counts until the email is proven to be somebody's") == 1


def test_why_an_identifier_is_theirs_is_one_line_with_the_rest_folded(staff):
    person = PersonFactory(user_id="42")
    visitor = IdentifierFactory(value="a9cbb6bc-570c-45e5-a92a-1de1d5de1936")
    OwnershipFactory(person=person, identifier=visitor)
    ClaimFactory(
        weak=visitor,
        target=person.anchor,
        activity__trusted=True,
        activity__type=Type.LINK,
        activity__timestamp=START,
    )

    html = staff.read("person", person)
    folded = html.split('<details class="it-why">')[1].split("</details>")[0]

    assert "<summary>since Nov. 2, 2026, personal link (trusted)</summary>" in folded
    assert "a9cbb6bc-570c-45e5-a92a-1de1d5de1936" in folded
    assert "<bdi>a9cbb6bc…</bdi>" in html


def test_of_several_claims_the_one_that_decides_is_told(staff):
    process(
        [
            identify(id="42", anonymous_id="x", at=at, source=source)
            for at, source in enumerate(["first", "between", "last"])
        ]
    )

    text = staff.text("person", somebody(id="42"))

    assert "message from first" in text
    assert "message from between" not in text


def test_another_persons_claim_on_a_shared_browser_is_no_reason(staff):
    process(
        [identify(id=id, anonymous_id="x", at=at) for at, id in enumerate(["42", "somebody-else"])]
    )

    assert "somebody-else" not in staff.text("person", somebody(id="42")).split("Timeline")[0]


def test_both_steps_from_a_browser_to_an_id_are_told(staff):
    browser = identify(email="a@example.com", anonymous_id="x", source="newsletter", at=1)
    process([browser, identify(id="42", email="a@example.com", source="checkout", at=2)])

    text = staff.text("person", somebody(id="42"))

    assert "claimed for email a@example.com , by an unproven message from newsletter" in text
    assert text.count("claimed for id 42 , by an unproven message from checkout") == 2


def test_an_identifier_that_a_merge_brought_names_it(staff):
    process([page(id="42"), identify(id="77", anonymous_id="x")])
    merge(somebody(id="42"), somebody(id="77"), reason="same human")

    text = staff.text("person", somebody(id="42"))

    assert text.count("joined by the merge of") == 3


def test_of_many_identifiers_the_first_are_shown_with_the_total(staff, monkeypatch):
    monkeypatch.setattr(belongings, "ROWS", 2)
    person = PersonFactory()
    for _ in range(4):
        OwnershipFactory(person=person)

    assert "and 3 more, 5 in all" in staff.text("person", person)


def test_of_very_many_devices_the_first_are_explained_and_all_are_in_the_history(
    staff, monkeypatch
):
    monkeypatch.setattr(person_page, "EXPLAINED", 3)
    process([identify(id="42", anonymous_id=f"x{number}", at=1) for number in range(5)])
    process([page(anonymous_id="x4", at=2, name="/last/")])

    text = staff.text("person", somebody(id="42"))

    assert "and 3 more, 6 in all" in text
    assert "/last/" in text


def test_of_many_stretches_the_first_are_shown(staff, monkeypatch):
    monkeypatch.setattr(belongings, "STRETCHES", 1)
    messages = [identify(id=id, anonymous_id="x", at=at) for at, id in enumerate("ABABAB")]
    process(messages)

    text = staff.text("person", somebody(id="A"))

    assert "and 2 more stretches of time" in text


def test_a_page_leads_to_the_users_account(staff, admin_user):
    person = PersonFactory(user_id=str(admin_user.pk))

    assert f'href="/admin/auth/user/{admin_user.pk}/change/"' in staff.read("person", person)


def test_an_account_is_found_by_the_name_to_log_in_with(staff, settings):
    settings.IDENTITY_TRACKING = {**settings.IDENTITY_TRACKING, "USER_ID": get_username}

    assert "user admin" in staff.text("person", PersonFactory(user_id="admin"))


@pytest.mark.parametrize("user_id", ["admin", "77777777777777777777777777", "0"])
def test_an_id_that_is_no_account_leads_to_none(staff, user_id):
    assert "auth/user" not in staff.read("person", PersonFactory(user_id=user_id)).split("<main")[1]


def test_who_may_not_see_users_is_led_to_none(staff_with):
    clerk = staff_with("view_person")
    person = PersonFactory(user_id=clerk.session["_auth_user_id"])

    html = clerk.read("person", person)

    assert "<bdi>clerk</bdi>" in html
    assert "/auth/user/" not in html


def test_merges_are_told_with_who_did_them_and_why(staff, admin_user):
    process([page(id="42"), page(id="77")])
    operation = merge(somebody(id="42"), somebody(id="77"), by=admin_user, reason="one human")

    live = staff.text("person", somebody(id="42")).split("Merges")[1]
    operation.undo(by="a script")
    undone = staff.text("person", somebody(id="42")).split("Merges")[1]

    assert "77 → joined 42" in live
    assert ", by admin : one human Undo" in live
    assert "by a script" in undone
    assert "Undo " not in undone


def test_a_contested_identifier_says_when_it_was_theirs(staff):
    person, visitor = PersonFactory(), IdentifierFactory()
    OwnershipFactory(person=person, identifier=visitor, until=START)
    OwnershipFactory(identifier=visitor, since=START, until=START + HOUR)
    OwnershipFactory(person=person, identifier=visitor, since=START + HOUR, until=START + 2 * HOUR)
    OwnershipFactory(
        person=person, identifier=visitor, since=START + 2 * HOUR, until=START + 3 * HOUR
    )
    OwnershipFactory(person=person, identifier=visitor, since=START + 5 * HOUR)

    html = staff.read("person", person)

    assert html.count('class="it-stretch"') == 3  # two that touch are one


def test_attributes_say_where_they_came_from(staff):
    person = PersonFactory(attributes={"plan": "pro"}, provenance={"plan": written(trusted=True)})

    assert "plan pro 11/21/2026" in staff.text("person", person)
    assert "shop , trusted" in staff.text("person", person)


def test_an_attribute_leads_to_the_message_that_wrote_it(staff):
    activity = ActivityFactory(source="shop", trusted=True, message_id="m-1")
    person = PersonFactory(attributes={"plan": "pro"}, provenance={"plan": written(trusted=True)})

    address = reverse("admin:identity_tracking_activity_change", args=[activity.pk])

    assert address in staff.read("person", person)


def test_a_value_that_lost_stands_beside_the_one_that_won(staff):
    person = PersonFactory(
        attributes={"plan": "pro"},
        provenance={"plan": written(trusted=True)},
        claimed={"plan": written(trusted=False, value="free"), "tier": written(False, value=3)},
    )

    text = staff.text("person", person)

    assert "claimed, not taken free" in text
    assert "tier claimed, not taken 3" in text


def test_attributes_without_provenance_are_shown(staff):
    person = PersonFactory(attributes={"plan": "pro"}, provenance={"plan": "?"}, claimed={"x": 1})

    assert "plan pro" in staff.text("person", person)


def test_long_values_are_folded_away(staff):
    person = PersonFactory(attributes={"bio": "word " * 100, "tags": [["a"], "b"]})

    html = staff.read("person", person)

    assert html.count("<details>") == 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (["filter", "moka"], "filter, moka"),
        ([1, None, True], "1, null, true"),
        (["Ada, Countess", "b"], '["Ada, Countess", "b"]'),
        ([{"a": 1}], '[{"a": 1}]'),
        ([], "[]"),
    ],
)
def test_lists_of_words_are_told_as_words(staff, value, shown):
    person = PersonFactory(attributes={"brews_with": value})
    ActivityFactory(identifier=person.anchor, properties={"brews": value})

    text = staff.text("person", person)

    assert f"brews_with {shown}" in text
    assert f"brews {shown}" in text


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("created_at", 1795124039, "11/19/2026 3:33 p.m."),
        ("paid_at", 1795124039000.5, "11/19/2026 3:33 p.m."),
        ("created_at", 7, "7"),
        ("created_at", True, "true"),
        ("created_at", 10**30, str(10**30)),
        ("flat", 1795124039, "1795124039"),
        ("created_at", "yesterday", "yesterday"),
    ],
)
def test_times_are_told_as_dates(staff, name, value, shown):
    person = PersonFactory(attributes={name: value})
    ActivityFactory(identifier=person.anchor, properties={name: value})

    assert staff.text("person", person).count(f"{name} {shown}") == 2


def test_relationships_are_shown_with_their_attributes(staff):
    person = PersonFactory()
    ObjectRelationshipFactory(
        identifier=person.anchor, object__object_id="acme", attributes={"role": "admin"}
    )

    assert "company: acme role admin" in staff.text("person", person)


def test_conflicts_about_any_identifier_are_shown(staff):
    person, visitor = PersonFactory(), IdentifierFactory(value="kiosk")
    OwnershipFactory(person=person, identifier=visitor)
    ConflictFactory(identifier=visitor)
    ConflictFactory(identifier=IdentifierFactory(), other=person.anchor, code="link_elsewhere")

    text = staff.text("person", person)

    assert "kiosk was claimed for too many people" in text
    assert "personal link was opened on the browser" in text


def test_cio_ids_of_folded_people_are_shown(staff):
    person = PersonFactory()
    lead = LeadFactory(email="ada@example.com", root=person)

    assert f"{lead.cio_id} of ada@example.com" in staff.text("person", person)


def test_the_timeline_is_grouped_by_day_newest_first(staff):
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, name="earlier", timestamp=START)
    ActivityFactory(identifier=person.anchor, name="later", timestamp=START + 24 * HOUR)

    text = staff.text("person", person).split("Timeline")[1]

    assert text.index("Nov. 3, 2026") < text.index("later") < text.index("Nov. 2, 2026")
    assert text.index("Nov. 2, 2026") < text.index("earlier")


def test_the_anonymous_part_is_marked(staff):
    person = PersonFactory()
    visitor = OwnershipFactory(person=person).identifier
    ActivityFactory(identifier=visitor)
    ActivityFactory(identifier=person.anchor)

    assert staff.read("person", person).count("it-anonymous") == 1


@pytest.mark.parametrize("kind", [Type.IDENTIFY, Type.FORM, Type.LINK])
def test_the_moment_of_identification_is_marked(staff, kind):
    person = PersonFactory(user_id="42")
    visitor = OwnershipFactory(person=person).identifier
    ActivityFactory(identifier=visitor)
    ActivityFactory(identifier=person.anchor, type=kind, name="")
    ActivityFactory(identifier=person.anchor, type=kind, name="")

    assert staff.text("person", person).count("Identified as 42") == 1


def test_the_first_claim_is_a_moment_of_identification_wherever_it_stands(staff):
    person = PersonFactory(user_id="42")
    visitor = OwnershipFactory(person=person).identifier
    ClaimFactory(weak=visitor, target=person.anchor)

    assert "Identified as 42" in staff.text("person", person)


def test_properties_are_told_in_brief(staff):
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, properties={f"p{n}": n for n in range(6)})

    assert "p3 3 2 more" in staff.text("person", person)


def test_a_page_view_shows_its_title_and_address(staff):
    person = PersonFactory()
    page = {"url": "https://shop.example/a", "title": "A page", "path": "/a"}
    ActivityFactory(
        identifier=person.anchor, type=Type.PAGE, name="", context={"page": page}, properties=page
    )

    html = staff.read("person", person)

    assert 'href="https://shop.example/a" rel="noopener nofollow noreferrer"' in html
    assert "Page view A page https://shop.example/a" in staff.text("person", person)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://testserver:8000/a?b=1#c", "/a?b=1"),
        ("https://TestServer", "/"),
        ("https://testserver.example/a", "https://testserver.example/a"),
        ("https://testserver@evil.example/", "https://testserver@evil.example/"),
        ("https://[testserver/", "https://[testserver/"),
    ],
)
def test_an_address_of_this_very_site_is_its_path(staff, url, shown):
    person = PersonFactory()
    context = {"page": {"url": url, "title": "A page"}}
    ActivityFactory(identifier=person.anchor, type=Type.PAGE, name="", context=context)

    html = staff.read("person", person)

    assert f"<bdi>{shown}</bdi></a>" in html
    assert f'href="{url}" rel="noopener nofollow noreferrer" title="{url}"' in html


ORDER = Relation(object=ObjectRef("order", "BB-196AA4"), attributes={"total": 32.5})


@pytest.mark.parametrize("kind", [Type.RELATE, Type.IDENTIFY, Type.GROUP])
def test_the_timeline_says_what_somebody_was_related_to(staff, kind):
    person = PersonFactory()
    properties = {RELATIONSHIPS: relations_as_sent([ORDER])}
    ActivityFactory(identifier=person.anchor, type=kind, name="", properties=properties)

    address = reverse("admin:identity_tracking_trackedobject_change", args=[ORDER.object.key])

    assert "order: BB-196AA4 , total 32.5" in staff.text("person", person)
    assert address in staff.read("person", person)


def test_the_timeline_says_what_somebody_no_longer_relates_to(staff):
    person = PersonFactory()
    gone = Relation(object=ORDER.object, present=False)
    properties = {RELATIONSHIPS: relations_as_sent([gone, *[ORDER] * 5])}
    ActivityFactory(identifier=person.anchor, type=Type.RELATE, properties=properties)

    text = staff.text("person", person)

    assert "no longer order: BB-196AA4" in text
    assert "2 more" in text


def test_who_may_not_see_objects_is_led_to_none(staff_with):
    person = PersonFactory()
    properties = {RELATIONSHIPS: relations_as_sent([ORDER])}
    ActivityFactory(identifier=person.anchor, type=Type.RELATE, properties=properties)

    html = staff_with("view_person", "view_activity").read("person", person)

    assert "order: BB-196AA4" in html
    assert "/trackedobject/" not in html


def test_relationships_of_another_shape_are_left_out(staff):
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, name="an-event", properties={RELATIONSHIPS: "?"})

    assert "an-event" in staff.text("person", person)


def test_only_types_that_occur_are_offered(staff):
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, type=Type.FORM)
    ActivityFactory(identifier=person.anchor, type=Type.PAGE)

    assert offered(staff, person) == ["page", "form"]
    assert offered(staff, person, type="form") == ["page", "form"]
    assert offered(staff, person, type="alias") == ["page", "alias", "form"]


def test_a_long_history_is_offered_every_type(staff, monkeypatch):
    monkeypatch.setattr(timeline, "SAMPLE", 2)
    person = PersonFactory()
    ActivityFactory.create_batch(2, identifier=person.anchor)

    assert offered(staff, person) == list(Type)


def offered(staff, person, **query):
    choices = staff.read("person", person, **query).split('<ul class="it-choices">')[1]
    return re.findall(r"\?type=(\w+)", choices.split("</ul>")[0])


def test_the_timeline_can_show_one_type_alone(staff):
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, name="an-event")
    ActivityFactory(identifier=person.anchor, type=Type.FORM, name="a-form")

    text = staff.text("person", person, type="form")

    assert "a-form" in text
    assert "an-event" not in text


def test_a_type_that_does_not_exist_shows_all(staff):
    person = PersonFactory()
    ActivityFactory(identifier=person.anchor, name="an-event")

    assert "an-event" in staff.text("person", person, type='"><script>')


@pytest.mark.parametrize(
    ("page", "first", "last"), [("1", 59, 10), ("2", 9, 0), ("x", 59, 10), ("99", 9, 0)]
)
def test_the_timeline_is_paged(staff, page, first, last):
    person = PersonFactory()
    for n in range(60):
        ActivityFactory(identifier=person.anchor, name=f"event-{n}.", timestamp=START + n * HOUR)

    text = staff.text("person", person, page=page)

    assert text.index(f"event-{first}.") < text.index(f"event-{last}.")
    assert text.count("event-") == first - last + 1


def test_the_timeline_can_show_one_name_alone(staff):
    person = PersonFactory()
    for name in ("wanted", "other"):
        ActivityFactory(identifier=person.anchor, name=name)
    ActivityFactory(identifier=person.anchor, type=Type.FORM, name="wanted")

    by_name = timeline_of(staff, person, name=" wanted ")
    by_both = timeline_of(staff, person, name="wanted", type="form")

    assert re.findall(r"(Event|Form) (\w+) \d", by_name) == [
        ("Form", "wanted"),
        ("Event", "wanted"),
    ]
    assert re.findall(r"(Event|Form) (\w+) \d", by_both) == [("Form", "wanted")]


def test_names_that_occur_are_offered(staff):
    person = PersonFactory()
    for name in ("b", "a", "b", ""):
        ActivityFactory(identifier=person.anchor, name=name)

    html = staff.read("person", person)

    assert re.findall(r'<option value="(\w*)">', html) == ["a", "b"]


def test_a_filter_reads_the_newest_part_of_a_long_history_and_says_so(staff, monkeypatch):
    for module in (timeline, paging):
        monkeypatch.setattr(module, "CEILING", 4)
    person = PersonFactory()
    for n in range(8):
        name = "wanted" if n in {1, 6} else "other"
        ActivityFactory(identifier=person.anchor, name=name, timestamp=START + n * HOUR)

    text = timeline_of(staff, person, name="wanted")

    assert text.count("Event wanted") == 1
    assert "looked through the newest part only, since Nov. 2, 2026" in text


def timeline_of(staff, person, **query):
    return staff.text("person", person, **query).split("Timeline")[1]


def test_a_gap_of_nobodys_is_explained_where_it_lies(staff):
    process([identify(id="A", anonymous_id="x", at=1), track(anonymous_id="x", at=2)])
    process([identify(id="B", anonymous_id="x", at=3), track(anonymous_id="x", at=4)])

    of_first, of_next = (timeline_of(staff, somebody(id=id)) for id in "AB")

    assert of_first.index("Nobody's x After this, B was the next") < of_first.index("Identified")
    assert of_next.index("Identified as B") < of_next.index("Nobody's x Before this, A was the")
    assert "from 11/02/2026 4 a.m. until 11/02/2026 6 a.m." in of_first


def test_a_gap_in_which_nothing_was_done_is_not_told(staff):
    process([identify(id=id, anonymous_id="x", at=at) for at, id in enumerate("AB")])

    assert "Nobody's" not in timeline_of(staff, somebody(id="A"))


def test_a_gap_between_two_who_are_one_is_none(staff):
    process([identify(id=id, anonymous_id="x", at=at) for at, id in ((1, "A"), (3, "B"))])
    process([track(anonymous_id="x", at=2)])
    merge(somebody(id="A"), somebody(id="B"))

    text = timeline_of(staff, somebody(id="A"))

    assert "Nobody's" not in text
    assert "added_to_cart" in text


def test_a_gap_is_told_on_one_page_only(staff, monkeypatch):
    monkeypatch.setattr(history, "PER_PAGE", 2)
    process([identify(id="A", anonymous_id="x", at=3), track(anonymous_id="x", at=4)])
    process([identify(id="B", anonymous_id="x", at=5), track(anonymous_id="x", at=6)])
    process([track(id="A", at=at) for at in (1, 2, 7, 8, 9)])

    pages = [timeline_of(staff, somebody(id="A"), page=number) for number in (1, 2, 3)]

    assert [text.count("Nobody's") for text in pages] == [0, 1, 0]


def test_a_filter_shows_no_gaps(staff):
    process([identify(id="A", anonymous_id="x", at=1), track(anonymous_id="x", at=2)])
    process([identify(id="B", anonymous_id="x", at=3)])

    assert "Nobody's" not in timeline_of(staff, somebody(id="A"), type="track")


def test_pages_of_one_type_stay_with_it(staff):
    person = PersonFactory()
    ActivityFactory.create_batch(51, identifier=person.anchor)

    assert 'href="?type=track&amp;page=2"' in staff.read("person", person, type="track")


def test_an_empty_timeline_says_so(staff):
    assert Activity.objects.count() == 0
    assert "Nothing here." in staff.text("person", PersonFactory())


def test_the_campaigns_that_led_to_a_person_stand_beside_their_name(staff):
    news = {"campaign": {"source": "<b>news", "medium": "email", "name": "fall"}}
    process([page(id="42", context=news), identify(id="42", at=1)])

    html = staff.read("person", somebody(id="42"))

    assert "first touch" in html
    assert "&lt;b&gt;news · email · fall" in html
    assert "last touch" not in html
