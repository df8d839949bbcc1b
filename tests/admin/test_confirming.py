from __future__ import annotations

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from identity_tracking.ingest.transaction import breaker
from tests.factories import PersonFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def _unreachable():
    """Leave the database as it is after it could not be reached three times in a row."""
    for _ in range(breaker.FAILURES):
        breaker.failed()
    yield
    breaker.reset()


@pytest.mark.parametrize("way", ["get", "post"])
@pytest.mark.usefixtures("_unreachable")
def test_database_trouble_is_told_and_nothing_is_done(staff, way):
    one, other = PersonFactory.create_batch(2)
    page = reverse("admin:identity_tracking_person_merge", args=[one.pk, other.pk])

    response = getattr(staff, way)(page, follow=True)

    assert "nothing was done. Try again." in response.content.decode()
    assert not LogEntry.objects.exists()


def test_what_was_foreseen_is_taken_back_outside_of_any_transaction(staff):
    one, other = PersonFactory.create_batch(2)
    page = reverse("admin:identity_tracking_person_merge", args=[one.pk, other.pk])

    assert staff.get(page).status_code == 200
    other.refresh_from_db()
    assert other.root_id is None
