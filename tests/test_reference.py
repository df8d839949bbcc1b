"""The reference model by hand: small stories, each with what the rules say it comes to."""

from __future__ import annotations

from itertools import count

from tests.reference import Also, Operation, Reference, Said, without

A, B, C = ("id", "A"), ("id", "B"), ("id", "C")
E, F = ("email", "e@x"), ("email", "f@x")
X = ("anonymous_id", "X")
_number = count()


def said(type, at=0, *, id=None, email=None, browser=None, also=(), **rest):
    rest.setdefault("email_trusted", rest.get("trusted", False))
    return Said(
        type=type,
        time=at,
        message_id=f"m{next(_number):04}",
        id=id,
        email=email,
        anonymous_id=browser,
        also=tuple(Also(name, f"o{at}") for name in also),
        **rest,
    )


def page(at, browser="X", **rest):
    return said("page", at, browser=browser, **rest)


def identify(at, **rest):
    return said("identify", at, **rest)


def owners(graph, *messages):
    return [graph.owner(message) for message in messages]


def merge(primary, secondary, at=0, *, live=True, id="o"):
    return Operation(primary=primary, secondary=secondary, at=at, id=id, live=live)


def conflicts(*messages, **rest):
    return sorted(code for code, *_ in Reference(messages, **rest).conflicts())


# R1 and which identifiers there are


def test_the_first_stored_copy_is_the_message():
    first = said("track", id="A")
    second = Said(type="track", time=0, message_id=first.message_id, id="B")

    assert Reference([first, second]).graph().people == {A}


def test_a_message_makes_only_the_identifiers_that_it_uses():
    assert Reference([page(0, id="A", email="e@x")]).used == {A}
    assert Reference([page(0, email="e@x")]).used == {E}
    assert Reference([identify(0, id="A", email="e@x", browser="X")]).used == {A, E, X}
    assert Reference([said("alias", id="A", previous="X")]).used == {A, X}
    assert Reference([said("alias", email="e@x", previous="X")]).used == {E, X}


# R2 and R2b


def test_a_message_with_an_id_stays_with_it():
    mine = page(5, id="A")

    assert owners(Reference([mine, identify(0, id="B", browser="X")]), mine) == [A]


def test_a_restamped_page_is_resolved_by_its_browser():
    again = page(5, id="B", email="e@x", restamped=True)
    graph = Reference([again, identify(0, id="A", browser="X")])

    assert owners(graph, again) == [A]
    assert graph.used == {A, X}


def test_a_restamped_identify_is_believed():
    assert Reference([identify(0, id="B", browser="X", restamped=True)]).used == {B, X}


# R3 to R5


def test_all_of_a_browser_with_one_claim_is_that_person_s():
    before, after = page(1), page(9)

    assert owners(Reference([before, identify(5, id="A", browser="X"), after]), before, after) == [
        A,
        A,
    ]


def test_between_two_people_s_claims_a_browser_is_nobody_s():
    pages = [page(at) for at in (0, 1, 2, 10)]
    claims = [identify(1, id="A", browser="X"), identify(10, id="B", browser="X")]

    assert owners(Reference([*pages, *claims]), *pages) == [A, A, None, B]


def test_an_alias_claims_its_previous_browser():
    before = page(1)

    assert owners(Reference([before, said("alias", 5, id="A", previous="X")]), before) == [A]


def test_an_email_is_its_latest_claim_s_at_a_time_or_else_its_first_claim_s():
    mails = [said("track", at, email="e@x") for at in (0, 3, 7)]
    claims = [identify(1, id="A", email="e@x"), identify(5, id="B", email="e@x")]

    assert owners(Reference([*mails, *claims]), *mails) == [A, A, B]


def test_an_unproven_claim_does_not_count_once_the_site_knows_the_email():
    mail = said("track", email="e@x")
    taker = identify(1, id="A", email="e@x")

    assert owners(Reference([mail, taker]), mail) == [A]
    assert owners(Reference([mail, taker, identify(2, email="e@x", trusted=True)]), mail) == [E]
    proven = identify(2, id="B", email="e@x", trusted=True)
    assert owners(Reference([mail, taker, proven]), mail) == [B]


def test_a_browser_of_too_many_people_is_nobody_s():
    claims = [identify(at, id=id, browser="X") for at, id in enumerate("ABC")]
    graph = Reference([page(9), *claims], people_per_browser=2)

    assert owners(graph, *graph.messages) == [A, B, C, None]
    assert list(graph.conflicts()) == [("too_many_people", "X", None, None)]


def test_a_claim_reaches_back_no_further_than_the_look_back():
    pages = [page(at) for at in (4, 5, 11)]
    graph = Reference([*pages, identify(10, id="A", browser="X")], look_back=5)

    assert owners(graph, *pages) == [None, A, A]


# R7 and R8


def test_a_merge_closes_the_gap_between_the_two():
    gap = page(5)
    messages = [identify(1, id="A", browser="X"), gap, identify(9, id="B", browser="X")]

    assert owners(Reference(messages, [merge(A, B)]), gap) == [A]
    assert owners(Reference(messages, [merge(A, B, live=False)]), gap) == [None]


def test_a_merge_that_closes_a_circle_has_no_effect():
    messages = [said("track", id=id) for id in "ABC"]
    circle = [merge(A, B, 1), merge(B, C, 2), merge(C, A, 3)]

    assert Reference(messages, circle).groups == {A: [A, B, C]}
    assert Reference(messages, circle[1:]).groups == {B: [B, C, A]}


def test_a_merge_of_a_lead_is_a_merge_of_whom_it_follows():
    messages = [identify(0, id="A", email="e@x", trusted=True), said("track", id="B")]

    assert Reference(messages, [merge(B, E)]).groups == {B: [B, A]}


def test_an_unproven_email_never_joins_two_ids():
    messages = [identify(0, id="A", email="e@x"), said("track", id="B")]

    assert Reference(messages, [merge(B, E)]).groups == {A: [A], B: [B]}


def test_an_unproven_email_joins_an_id_and_a_lead_after_all_others():
    messages = [identify(0, id="A", email="e@x"), said("track", email="f@x"), said("track", id="B")]

    assert Reference(messages, [merge(F, E, 1)]).groups == {F: [F, A], B: [B]}
    later = [merge(F, E, 1), merge(B, F, 2)]
    assert Reference(messages, later).groups == {B: [B, F], A: [A]}


def test_a_form_writes_as_an_identify_does_and_a_page_does_not():
    plan = (("plan", "pro"),)
    messages = [
        said("form", 1, id="A", attributes=plan),
        page(2, id="B", attributes=plan),
    ]

    assert Reference(messages).graph().attributes == {A: {"plan": "pro"}, B: {}}


def test_what_the_primary_lacked_it_inherits():
    messages = [
        identify(1, id="A", attributes=(("plan", "a"),)),
        identify(2, id="B", attributes=(("plan", "b"), ("city", "b"))),
        identify(9, id="B", attributes=(("city", "later"),)),
    ]

    graph = Reference(messages, [merge(A, B, 5)]).graph()

    assert graph.attributes == {A: {"plan": "a", "city": "later"}}


# R9


def test_a_trusted_message_renames_an_id():
    messages = [said("track", id="B"), identify(1, id="A", also=[B], trusted=True)]
    graph = Reference(messages).graph()

    assert graph.people == {A}
    assert graph.id == {A: "B"}
    assert Reference(messages, undone={"o1"}).graph().id == {A: "A", B: "B"}


def test_an_undo_takes_the_name_back_though_another_merge_joins_them_still():
    messages = [said("track", id="B"), identify(1, id="A", also=[B], trusted=True)]

    assert Reference(messages, [merge(A, B)], undone={"o1"}).graph().id == {A: "A"}


def test_a_further_email_of_an_id_is_a_proven_claim():
    messages = [
        identify(1, id="A", email="e@x", trusted=True),
        identify(2, id="A", also=[F], trusted=True),
        said("track", email="f@x"),
    ]
    graph = Reference(messages).graph()

    assert graph.people == {A}
    assert graph.email == {A: "f@x"}


def test_a_further_email_of_a_lead_is_a_merge_of_both():
    graph = Reference([identify(1, email="e@x", also=[F], trusted=True)]).graph()

    assert graph.people == {E}
    assert graph.email == {E: "f@x"}


def test_what_is_not_proven_renames_nobody():
    renames = identify(1, id="A", also=[B], email_trusted=True)
    graph = Reference([said("track", id="B"), renames]).graph()

    assert graph.people == {A, B}
    assert graph.conflicts == {("identifier_refused", "A", None, renames.key)}


def test_a_name_that_the_message_has_anyway_is_no_conflict():
    assert conflicts(identify(1, id="A", also=[A])) == []
    assert conflicts(identify(1, id="A", email="e@x", also=[E])) == []
    assert conflicts(page(1, email="e@x", also=[F], trusted=True)) == ["identifier_refused"]


# Voided claims


def test_a_voided_claim_counts_nowhere_and_the_rest_of_its_message_stays():
    claims = identify(1, id="A", browser="X", attributes=(("plan", 1),))
    before = page(0)
    graph = Reference([before, claims], voided={(claims.key, X)})

    assert owners(graph, before, claims) == [None, A]
    assert graph.graph().attributes == {A: {"plan": 1}}


def test_without_the_voided_claim_the_unproven_one_counts_again():
    proven = identify(1, id="A", email="e@x", trusted=True)
    mail, soft = said("track", email="e@x"), identify(2, id="B", email="e@x")

    assert owners(Reference([proven, mail, soft]), mail) == [A]
    assert owners(Reference([proven, mail, soft], voided={(proven.key, E)}), mail) == [B]


# R12


def test_each_further_id_of_an_email_is_a_conflict():
    first, second = identify(1, id="B", email="e@x"), identify(2, id="A", email="e@x")
    again = identify(3, id="A", email="e@x")

    assert Reference([first, second, again]).graph().conflicts == {
        ("email_of_two_ids", "e@x", "A", second.key)
    }


def test_each_id_whose_claim_to_an_email_does_not_count_is_a_conflict():
    proven = identify(2, id="A", email="e@x", trusted=True)
    soft = [identify(at, id=id, email="e@x") for at, id in enumerate("ABB")]

    assert Reference([proven, *soft]).graph().conflicts == {
        ("email_not_counted", "e@x", "B", soft[1].key)
    }


# Deleting


def test_of_a_deleted_person_nothing_is_left():
    messages = [page(0), identify(1, id="A", email="e@x", browser="X"), said("track", email="e@x")]

    assert Reference(without(Reference(messages), A).messages).used == set()


def test_a_gap_beside_the_deleted_person_goes_with_them():
    gap, other = page(5), page(10)
    claims = [identify(1, id="A", browser="X"), identify(9, id="B", browser="X")]
    rest = without(Reference([*claims, gap, other]), A)

    assert rest.messages == [claims[1], other]


def test_merges_that_name_the_deleted_person_are_gone():
    messages = [said("track", id=id) for id in "ABC"]
    rest = without(Reference(messages, [merge(A, B), merge(B, C, live=False)]), A)

    assert rest.explicit == []
    assert rest.groups == {C: [C]}


def test_those_who_stay_forget_the_emails_of_the_deleted():
    mine = identify(2, id="A", email="e@x", trusted=True)
    rest = without(Reference([mine, identify(1, id="B", email="e@x")]), A)

    assert rest.used == {B}


def test_those_who_stay_keep_the_emails_that_they_use_too():
    mine = identify(2, id="A", email="e@x", trusted=True)
    theirs = identify(1, id="B", email="e@x", trusted=True, also=[C])
    rest = without(Reference([mine, theirs]), A)

    assert rest.used == {B, C, E}


def test_an_email_that_somebody_else_s_message_is_headed_by_is_not_forgotten():
    theirs = identify(1, id="B", email="e@x", trusted=True)
    early = said("track", 0, email="e@x")
    rest = without(Reference([theirs, early, identify(2, id="A", email="e@x", trusted=True)]), A)

    assert owners(rest, early) == [B]
    assert rest.used == {B, E}
