"""Each view of a page that shows a concern is one audit log entry: by whom, and how the words were given."""

from pathlib import Path

import pyrage
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.pages.frame import DeskRoute
from app.services.concerns import opened_entries
from tests.support.clock import SettableClock
from tests.support.concerns import add, raise_concern
from tests.support.desk import SEEN, acts_on, press, sealed_note
from tests.support.people import JO, sign_in_as

SEVERAL = 30  # additions, on several pages of sealed texts
pytestmark = pytest.mark.slow

WHO = f"passkey:desk/{JO}"
WORDS = "Alex Example came home."
VIEWS = {
    "/desk/concerns/{reference}": ("opened here", "additions 1 to 1, notes 1 to 1"),
    "/desk/concerns/{reference}/additions": ("", "additions 1 to 1"),
    "/desk/concerns/{reference}/notes": ("", "notes 1 to 1"),
    "/desk/concerns/{reference}/sealed": ("sealed file saved", "additions 1 to 1"),
}
"""Each page about one concern, how it has the words where they are opened here, and of what."""


def pages_of_a_concern(service: FastAPI) -> set[str]:
    found = set()
    for each in iter_route_contexts(service.routes):
        if isinstance(each.original_route, DeskRoute) and "GET" in (each.methods or ()):
            found.add(str(each.path))
    return {path for path in found if "{reference}" in path}


def keys_of(held: str, folder: Path) -> Settings:
    """Return the settings of a service that holds the identity, another one, or none."""
    team, other = (pyrage.x25519.Identity.generate() for _ in range(2))
    file = folder / "identity.txt"
    file.write_text(str(team if held == "the identity" else other))
    sealed_to = str(team.to_public())
    held_file = None if held == "none" else file
    return Settings(data_dir=folder / "data", deliver=False, seal_to=(sealed_to,), seal_identity_file=held_file)


@pytest.mark.any_database
@pytest.mark.parametrize("held", ["the identity", "another identity", "none"])
def test_one_view_is_one_entry_by_name_for_every_key(tmp_path: Path, held: str) -> None:
    service = create_app(keys_of(held, tmp_path), SettableClock())
    (recipient,) = service.state.context.settings.seal_to
    with TestClient(service, follow_redirects=False) as client:
        receipt = raise_concern(client)
        reference = receipt["reference"]
        add(client, receipt, WORDS)
        sign_in_as(service, client)
        press(client, reference, "notes", **sealed_note("Spoke to the school.", reference, recipient))

        for path, (how, what) in VIEWS.items():
            before = acts_on(service, reference)
            answer = client.get(path.format(reference=reference))
            how_given = how if held == "the identity" or path.endswith("/sealed") else "sealed text given"
            detail = f"{how_given}, {what}" if how_given else what

            assert answer.status_code == 200
            assert acts_on(service, reference)[len(before) :] == [("opened", WHO, detail)], path
            assert (WORDS in answer.text) == (how_given in ("opened here", "") and "additions" in what), path
        press(client, reference, "acknowledgement", up_to_addition="1")
        press(client, reference, "erasure", reason="Requested in writing.", sure="yes", repeated=reference)
        before = acts_on(service, reference)
        assert client.get(f"/desk/concerns/{reference}").status_code == 200
        assert acts_on(service, reference)[len(before) :] == [("listed", WHO, "without words")]
    which_asks_and_shows_no_word = "/desk/concerns/{reference}/assignment"
    assert pages_of_a_concern(service) == {*VIEWS, which_asks_and_shows_no_word}


@pytest.mark.any_database
def test_saving_every_addition_in_order_makes_one_entry(
    service: FastAPI, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opened_entries, "PAGE_BYTES", 2_000)
    receipt = raise_concern(client)
    reference = receipt["reference"]
    for _ in range(SEVERAL):
        assert add(client, receipt, WORDS).status_code == 201
    sign_in_as(service, client)
    before = acts_on(service, reference)

    texts = client.get(f"/desk/concerns/{reference}/sealed").json()["texts"]

    places = [("concern", 0), *(("addition", number) for number in range(1, SEVERAL + 1))]
    assert [(each["kind"], each["number"]) for each in texts] == places
    saved = f"sealed file saved, additions 1 to {SEVERAL}"
    assert acts_on(service, reference)[len(before) :] == [("opened", WHO, saved)]


@pytest.mark.any_database
def test_the_form_of_a_page_of_additions_says_what_was_seen(service: FastAPI, client: TestClient) -> None:
    client.follow_redirects = False
    receipt = raise_concern(client)
    reference = receipt["reference"]
    add(client, receipt, WORDS)
    sign_in_as(service, client)

    page = client.get(f"/desk/concerns/{reference}/additions").text
    (seen,) = SEEN.findall(page)
    sign_in_as(service, client, "Sam Example")
    press(client, reference, "notes", text="Called the family.")
    sign_in_as(service, client)
    answer = press(client, reference, "acknowledgement", up_to_addition="1", seen=seen)

    assert int(seen) == len(acts_on(service, reference)) - 2
    own = len(acts_on(service, reference))
    assert answer.headers["Location"] == f"/desk/concerns/{reference}?seen={seen}&done={own}#done"
