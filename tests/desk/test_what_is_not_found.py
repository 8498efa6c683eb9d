"""A problem says what was not found: an item of an edition, or something of a concern, or a view, or a concern."""

import pytest
from starlette.testclient import TestClient

from tests.support.concerns import raise_concern
from tests.support.desk import Desk
from tests.support.publishing import GUIDE

pytestmark = pytest.mark.any_database

CALLS = {
    ("GET", f"{GUIDE}/factors/none-of-that-id"): "The edition has no item with this id. Its section lists the items.",
    ("GET", "{concern}/additions/9"): "The concern has no addition with that number.",
    ("POST", "{concern}/additions/9/acknowledgement"): "The concern has no addition with that number.",
    ("GET", "{concern}/notes/9"): "The concern has no note with that number.",
    ("POST", "{concern}/hand-over/9/receipt"): "The concern has no hand-over with that number.",
    ("DELETE", "/v1/desk/views/none-of-that-name"): "You have no saved view with this name.",
    ("GET", "/v1/desk/concerns/0000-0000-0000"): "No concern has that reference. Check the spelling.",
    ("GET", "/v1/desk/concerns/no-reference"): "No concern has that reference. Check the spelling.",
    ("GET", "/v1/concerns/0000-0000-0000"): "No concern matches this reference and status token. Check both for "
    "mistakes.",
}


@pytest.mark.slow
def test_the_detail_names_what_was_not_found(client: TestClient, desk: Desk) -> None:
    reference = raise_concern(client)["reference"]
    desk.act(reference, "acknowledgement")
    found = {}
    for method, path in CALLS:
        body = {"receipt": "a.b.c"} if path.endswith("receipt") else {} if method == "POST" else None
        concern = f"/v1/desk/concerns/{reference}"
        answer = client.request(method, path.format(concern=concern), json=body, headers=desk.headers)
        assert answer.status_code == 404, path
        found[method, path] = answer.json()["detail"]

    assert found == CALLS
