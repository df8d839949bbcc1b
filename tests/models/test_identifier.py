from __future__ import annotations

import pytest

from identity_tracking.identifiers import Kind
from identity_tracking.models import Identifier
from tests.factories import IdentifierFactory

pytestmark = pytest.mark.django_db


def test_python_and_the_database_sort_keys_alike():
    keys = [IdentifierFactory(kind=Kind.ID, value=f"{number}").pk for number in range(200)]

    assert list(Identifier.objects.order_by("pk").values_list("pk", flat=True)) == sorted(keys)
