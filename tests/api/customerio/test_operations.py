"""What the OpenAPI document says of the Track API, beside what its views and batches take."""

from __future__ import annotations

from itertools import product

import pytest

from identity_tracking.api.customerio.batches import ACTIONS
from identity_tracking.api.customerio.operations import OPERATIONS
from identity_tracking.api.customerio.shapes import ITEMS
from identity_tracking.api.customerio.views import CustomerView


def test_every_action_of_version_2_is_told():
    told = {tuple(one["properties"][name]["const"] for name in ("type", "action")) for one in ITEMS}

    assert told == {*ACTIONS}


@pytest.mark.django_db
def test_all_that_is_under_a_customer_is_told(call):
    told = {(one.method, one.path) for one in OPERATIONS}
    ends = ["", "/devices/{device_id}", "/attributes", *(f"/{kind}" for kind in CustomerView.KINDS)]

    for method, end in product(("put", "post", "delete", "patch"), ends):
        path = f"/people/api/v1/customers/42{end.format(device_id=7)}"
        answer = call(method.upper(), path, RAW_URI=path)

        is_told = (method, f"/api/v1/customers/{{identifier}}{end}") in told
        assert is_told == (answer.status_code not in {404, 405}), (method, end)
