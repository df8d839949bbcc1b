from __future__ import annotations

from uuid import RFC_4122, UUID

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st

from identity_tracking.identifiers import JUNK, MAX_BYTES, Kind, Ref, digest, is_email, names
from identity_tracking.identifiers import Names as Called

NAMES = ["id", "email", "anonymous_id", "cio_id"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "junk", [*sorted(JUNK), "NULL", " None ", "[object Object]", "0", "000", " 0 ", "\t\n"]
)
def test_junk_is_absent(name, junk):
    assert names(**{name: junk}) == Called()


@pytest.mark.parametrize(
    "junk", [None, 0, 0.0, -0.0, -1, -1.0, True, False, float("nan"), float("inf"), -float("inf")]
)
def test_what_programs_send_for_nobody_is_absent(junk):
    assert names(id=junk) == Called()


def test_a_site_adds_junk_of_its_own(settings):
    settings.IDENTITY_TRACKING = {"JUNK": ["N/A"]}

    assert names(id="n/a", anonymous_id="N/A") == Called()


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("42", "42"),
        (43, "43"),
        (44.0, "44"),
        (4.5, "4.5"),
        ("007", "007"),
        (" Ada \n", "Ada"),
        ("é", "é"),
        (UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (gettext_lazy("person"), "person"),
    ],
)
def test_an_id_is_kept_as_text_without_surrounding_space(sent, value):
    assert names(id=sent).id == Ref(Kind.ID, value)


def test_ids_differ_by_case():
    assert names(id="Ada").id != names(id="ada").id


def test_emails_do_not_differ_by_case():
    assert names(email=" Ada@Example.COM ").email == Ref(Kind.EMAIL, "ada@example.com")


def test_an_id_of_the_form_cio_is_a_cio_id():
    assert names(id="cio_0a1B") == Called(cio_id="0a1B")


def test_a_cio_id_may_be_sent_with_its_prefix_or_without():
    assert names(cio_id="cio_0a1b") == names(cio_id="0a1b") == Called(cio_id="0a1b")


def test_a_cio_id_wins_over_an_id_of_that_form():
    assert names(cio_id="a", id="cio_b").cio_id == "a"


@pytest.mark.parametrize("almost", ["cio_", "cio_a b", "CIO_a", "cio-a"])
def test_what_only_looks_like_a_cio_id_is_an_id(almost):
    assert names(id=almost).id == Ref(Kind.ID, almost)


def test_an_id_that_is_an_email_address_is_an_email():
    assert names(id="Ada@Example.com") == Called(email=Ref(Kind.EMAIL, "ada@example.com"))


def test_an_id_that_is_an_email_address_wins_over_another_email():
    called = names(id="a@example.com", email="b@example.com")

    assert called.email == Ref(Kind.EMAIL, "a@example.com")
    assert called.also == (Ref(Kind.EMAIL, "b@example.com"),)
    assert called.alone.refused == ("email",)


def test_an_id_that_is_the_email_beside_it_refuses_nothing():
    assert names(id="A@example.com", email="a@example.com").refused == ()


@pytest.mark.parametrize("almost", ["a@b", "a@", "@b.org", "a@b@c.org", "a b@c.org", "a@.org"])
def test_an_id_that_is_almost_an_email_address_stays_an_id(almost):
    assert not is_email(almost)
    assert names(id=almost).id == Ref(Kind.ID, almost)


@pytest.mark.parametrize("wrong", ["ada", "@", "a@", "a b@c.org", "a@b@c.org"])
def test_an_email_without_an_address_is_refused_and_the_rest_counts(wrong):
    assert names(id="u", email=wrong) == Called(id=Ref(Kind.ID, "u"), refused=("email",))


@pytest.mark.parametrize("name", ["id", "anonymous_id"])
def test_an_identifier_has_at_most_150_bytes(name):
    longest = "é" * (MAX_BYTES // 2)

    assert getattr(names(**{name: longest}), name).value == longest
    assert names(**{name: longest + "a"}) == Called(refused=(name,))


def test_an_email_has_at_most_254_bytes():
    longest = "a" * 242 + "@example.org"

    assert names(email=longest).email == names(id=longest).email == Ref(Kind.EMAIL, longest)
    assert names(email="a" + longest, id="u").refused == ("email",)
    assert names(id="a" + longest).refused == ("id",)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("wrong", ["a\0b", "a\x07b", "a\nb", "a\x7fb", "a\ud800b", [1], {"a": 1}])
def test_what_is_unprintable_or_no_text_is_refused(name, wrong):
    assert names(**{name: wrong}) == Called(refused=(name,))


def test_a_number_of_too_many_digits_is_refused():
    assert names(id=10**5000).refused == ("id",)


def test_the_head_is_the_highest_identifier():
    anonymous = names(anonymous_id="X")

    assert anonymous.head == Ref(Kind.ANONYMOUS_ID, "X")
    assert names(email="e@x.org", anonymous_id="X").head == Ref(Kind.EMAIL, "e@x.org")
    assert names(id="u", email="e@x.org", anonymous_id="X").head == Ref(Kind.ID, "u")
    assert names().head is None


def test_refs_are_all_identifiers_from_the_highest_down():
    assert [ref.kind for ref in names(id="u", email="e@x.org", anonymous_id="X").refs] == [3, 2, 1]


@pytest.mark.parametrize("ref", [Ref(Kind.ID, "u"), Ref(Kind.EMAIL, "e@x.org")])
def test_the_names_of_somebody_are_their_own_and_the_browsers(ref):
    browser = Ref(Kind.ANONYMOUS_ID, "X")
    called = Called.of(ref, anonymous_id=browser, refused=("link",))

    assert (called.head, called.anonymous_id, called.refused) == (ref, browser, ("link",))


def test_the_names_of_a_browser_are_the_browser():
    assert Called.of(Ref(Kind.ANONYMOUS_ID, "X")) == names(anonymous_id="X")


def test_identifiers_of_two_kinds_never_collide():
    assert len({Ref(kind, "same").key for kind in Kind}) == 3


def test_a_digest_depends_on_where_its_parts_end():
    assert digest("a", "bc") != digest("ab", "c")


def test_keys_never_change():
    assert Ref(Kind.ID, "42").key == UUID("b09c22d5-ff6b-8a4a-aa40-639d4b024b52")


def test_a_key_is_a_uuid_that_every_database_takes():
    keys = [digest(str(number)) for number in range(1000)]

    assert {(key.version, key.variant) for key in keys} == {(8, RFC_4122)}
    assert 0x80 not in {key.bytes[8] for key in keys}


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(anything, anything, anything, anything)
def test_whatever_is_sent_comes_out_clean_or_not_at_all(id, email, anonymous_id, cio_id):
    called = names(id=id, email=email, anonymous_id=anonymous_id, cio_id=cio_id)

    for ref in called.refs:
        assert ref.value == ref.value.strip()
        assert "\0" not in ref.value
        assert len(ref.value.encode()) <= 254 + 254 * (ref.kind is Kind.EMAIL)
        assert len(ref.value) <= 254


@given(st.text(), st.text())
def test_cleaning_twice_is_cleaning_once(id, email):
    once = names(id=id, email=email)
    values = {kind: ref.value for kind, ref in [("id", once.id), ("email", once.email)] if ref}

    assert names(**values).refs == once.refs
