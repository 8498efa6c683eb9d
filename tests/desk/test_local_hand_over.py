"""A hand-over at the desk on a worker's own machine: opened and sealed there, on the record of the service."""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from app.cli.desk_client import DeskClient
from app.cli.whole_concern import open_saved
from app.config import Settings
from app.errors import SealedTextMisplaced
from app.main import create_app
from app.models.desk.disclosure_tables import DeskAct
from app.pages.desk.local_pages import LocalPages
from app.server.local_desk import LocalDesk
from app.server.local_hand_over import LocalHandOvers
from app.services.access.key_files import create_identity
from app.services.concerns.sealing import read_identities
from tests.support.additions import add
from tests.support.canaries import CANARY
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern
from tests.support.databases import files_of
from tests.support.desk_forms import KEY, SEEN, acts_on, press
from tests.support.people import OWN_PAGE
from tests.support.workers import worker_of

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ORIGIN = "http://127.0.0.1:8123"
BODY = "Example Council"
WHY = {"body": BODY, "reason": "The child lives there."}
FILE = re.compile(r'href="data:application/octet-stream;base64,([^"]+)"')


@dataclass(frozen=True)
class Bench:
    """A service that can open nothing, a concern there, and the desk of a worker's machine in a browser."""

    service: Any
    http: Any  # called as the client of a command is
    browser: TestClient
    reference: str
    neighbour: Path
    data_dir: Path


def local_desk(http: Any, identity: Path, bodies: dict[str, str]) -> TestClient:
    unsealer = read_identities(identity)

    def open_here(reference: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        return open_saved(DeskClient(http), reference, unsealer)

    def labels(_guide: str, _edition: int) -> Any:
        raise ValueError

    desk = LocalDesk(http, LocalPages(unsealer, labels), LocalHandOvers(bodies, open_here, lambda: A_TUESDAY))
    browser = TestClient(desk.asgi(ORIGIN), base_url=ORIGIN, follow_redirects=False, headers=OWN_PAGE)
    assert browser.get(desk.first_path).status_code == 303
    return browser


@pytest.fixture
def bench(tmp_path: Path, a_concern: Concern) -> Iterator[Bench]:
    team, neighbour = tmp_path / "team.txt", tmp_path / "neighbour.txt"
    sealed_to, bodies = create_identity(team, at=A_TUESDAY), {BODY: create_identity(neighbour, at=A_TUESDAY)}
    data_dir = tmp_path / "data"
    service = create_app(
        Settings(data_dir=data_dir, deliver=False, seal_to=(sealed_to,), hand_over_bodies=bodies), SettableClock()
    )
    with TestClient(service, follow_redirects=False) as http:
        receipt = http.post("/v1/concerns", json=a_concern(concern={"narrative": CANARY})).json()
        add(http, receipt, f"{CANARY} came home.")
        http.headers.update(worker_of(service, http, "Robin Example").headers)
        yield Bench(service, http, local_desk(http, team, bodies), receipt["reference"], neighbour, data_dir)


def handed_over(bench: Bench) -> list[str]:
    return [who for act, who, _ in acts_on(bench.service, bench.reference) if act == DeskAct.HANDED_OVER]


def test_the_local_desk_seals_it_and_plain_age_opens_it_and_a_second_press_gives_the_same_file(bench: Bench) -> None:
    page = bench.browser.get(f"/desk/concerns/{bench.reference}").text
    form = WHY | {"seen": SEEN.findall(page)[0], "key": KEY.findall(page)[0]}

    first, again = (press(bench.browser, bench.reference, "hand-over", **form) for _ in range(2))

    (found,) = FILE.findall(first.text)
    package = base64.b64decode(found)
    opened = json.loads(read_identities(bench.neighbour).decrypt(package))
    assert opened["concern"]["submission"]["concern"]["narrative"] == CANARY
    assert [each["addition"]["concern"]["narrative"] for each in opened["additions"]] == [f"{CANARY} came home."]
    assert (opened["kind"], opened["body"], opened["reason"]) == ("guidance-hand-over", BODY, WHY["reason"])
    assert (first.status_code, again.text) == (200, first.text)
    assert handed_over(bench) == ["desk-of-robin/Robin Example"]
    views = [detail for act, _, detail in acts_on(bench.service, bench.reference) if act == DeskAct.OPENED]
    assert views == ["sealed text given, additions 1 to 1", "sealed file saved, additions 1 to 1"]
    assert [name for name, content in files_of(bench.data_dir).items() if CANARY.encode() in content] == []
    age = shutil.which("age")
    if age is not None:
        plain = subprocess.run([age, "-d", "-i", bench.neighbour], input=package, capture_output=True, check=True)
        assert json.loads(plain.stdout) == opened


def test_the_record_has_who_and_why_and_both_receipts(bench: Bench) -> None:
    press(bench.browser, bench.reference, "hand-over", **WHY)
    press(bench.browser, bench.reference, "hand-over/1/receipt", receipt="a.b.c")

    (entry,) = bench.http.get(f"/v1/desk/concerns/{bench.reference}/hand-over").json()["hand_overs"]
    assert (entry["body"], entry["reason"], entry["additions"]) == (BODY, WHY["reason"], 1)
    assert (entry["receipt"].count("."), entry["their_receipt"]) == (2, "a.b.c")


def test_a_key_that_is_not_that_of_the_body_hands_nothing_over(bench: Bench, tmp_path: Path) -> None:
    other = create_identity(tmp_path / "other.txt", at=A_TUESDAY)
    with_another_key = local_desk(bench.http, tmp_path / "team.txt", {BODY: other})
    without = local_desk(bench.http, tmp_path / "team.txt", {})

    refused = [press(each, bench.reference, "hand-over", **WHY) for each in (with_another_key, without)]

    assert [each.status_code for each in refused] == [422, 502]
    assert "sealed to another key than the one that is set up for this body" in refused[0].text
    assert "does not have the key of that body" in refused[1].text
    assert handed_over(bench) == []


def test_an_identity_that_does_not_open_it_hands_nothing_over(bench: Bench, tmp_path: Path) -> None:
    create_identity(tmp_path / "wrong.txt", at=A_TUESDAY)
    desk = local_desk(bench.http, tmp_path / "wrong.txt", {BODY: create_identity(tmp_path / "x.txt", at=A_TUESDAY)})

    refused = press(desk, bench.reference, "hand-over", **WHY)
    of_none = press(desk, "0000-0000-0000", "hand-over", **WHY)

    assert "Your identity does not open all of it" in refused.text
    assert of_none.status_code in (404, 502)
    assert handed_over(bench) == []


@pytest.mark.parametrize("texts", [[0, 1, 1], [0, 2], [0, 3], [1]], ids=str)
def test_a_file_whose_texts_are_not_each_at_its_place_is_not_handed_over(
    bench: Bench, tmp_path: Path, texts: list[int]
) -> None:
    file = bench.http.get(f"/desk/concerns/{bench.reference}/sealed").json()
    concern, addition = file["texts"]
    known = (concern, addition, addition | {"number": 2}, concern | {"kind": "addition", "number": 1})
    given = {"texts": [known[each] for each in texts]}
    answers = httpx.MockTransport(lambda _request: httpx.Response(200, json=given))

    with httpx.Client(base_url=ORIGIN, transport=answers, timeout=30) as taken_over, pytest.raises(SealedTextMisplaced):
        open_saved(DeskClient(taken_over), bench.reference, read_identities(tmp_path / "team.txt"))


def test_a_service_that_does_not_give_the_labels_leaves_a_page_that_says_so(bench: Bench) -> None:
    page = bench.browser.get(f"/desk/concerns/{bench.reference}")

    assert page.status_code == 200
    assert "The words cannot be shown just now." in page.text
    assert f"{CANARY} came home." in page.text
