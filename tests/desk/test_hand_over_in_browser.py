"""Opening in the browser for other ends: a hand-over, a bare sealed file, a passkey that is made here."""

import base64
import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Dialog, Page, Route, expect

from app.age.bech32 import encode_bech32
from app.http.visitors import SESSION_COOKIE
from app.models.audit.rows import DeskAct
from app.models.concerns.examples import FULL_EXAMPLE
from app.pages.page import UNSEAL_PAGE
from tests.support.browsing import Keyboard, accessibility_violations, sign_out
from tests.support.concerns import add, raise_at, raise_concern
from tests.support.desk import Desk, acts_on, desk_of
from tests.support.desk_states import sign_in
from tests.support.loops import first_by_day
from tests.support.people import ADDRESS, JO, context_of_service, invited, virtual_authenticator
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.unsealing import choose_key, need_script

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

BODY = "Example Council"
BODY_WITH_ANOTHER_KIND_OF_KEY = "Another Council"
REASON = "The child lives there."
NARRATIVE = FULL_EXAMPLE["concern"]["narrative"]
ADDED = "Alex Example came home at six."
OF_A_PROVIDER = "openid:the-desk"
WIDTHS = (1280, 320)
HYBRID_KEY_BYTES = 1216


@dataclass(frozen=True)
class Hosted:
    """A desk that can open nothing, the identities that can, and where it is served."""

    service: FastAPI
    url: str
    team: Path
    neighbour: Path


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hosted]:
    need_script()
    folder = tmp_path_factory.mktemp("hosted")
    team, neighbour = (pyrage.x25519.Identity.generate() for _ in range(2))
    files = (folder / "identity.txt", folder / "neighbour.txt")
    for file, identity in zip(files, (team, neighbour), strict=True):
        file.write_text(f"{identity}\n")
    hybrid = encode_bech32("age1pq", bytes(HYBRID_KEY_BYTES))
    bodies = {BODY: str(neighbour.to_public()), BODY_WITH_ANOTHER_KIND_OF_KEY: hybrid}
    sealed_to = (str(team.to_public()),)
    service = a_service(data_dir=folder / "data", seal_to=sealed_to, hand_over_bodies=bodies)
    with run_server(service) as address:
        yield Hosted(service, address.replace("127.0.0.1", "localhost"), *files)


@pytest.fixture(scope="module")
def receipt(hosted: Hosted) -> dict[str, Any]:
    with httpx.Client(base_url=hosted.url, trust_env=False, timeout=30) as client:
        receipt = raise_concern(client, **FULL_EXAMPLE)
        assert add(client, receipt, ADDED).status_code == 201
    return receipt


@pytest.fixture(scope="module")
def desk(hosted: Hosted) -> Iterator[Desk]:
    """Yield a duty team that calls the API."""
    with httpx.Client(base_url=hosted.url, trust_env=False, timeout=30) as client:
        yield desk_of(hosted.service, client)


@pytest.fixture
def page(browser: Browser, hosted: Hosted) -> Iterator[Page]:
    """A page of a person that a provider signed in, on a device that can make passkeys."""
    sign_in, now = context_of_service(hosted.service).desk_sign_in, context_of_service(hosted.service).clock()
    invited(hosted.service, JO)
    token = sign_in.sessions.start(JO, client=OF_A_PROVIDER, address=ADDRESS, at=now, former=None)
    context = browser.new_context(base_url=hosted.url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": hosted.url}])
    page = context.new_page()
    with virtual_authenticator(context, page):
        yield page
    context.close()


def choose(page: Page, file: Path, button: str = "") -> None:
    """Choose the file. An unlocked file opens at once; the button opens a locked one."""
    if page.locator("[data-unseal]").count():
        page.get_by_label("File of the key").set_input_files(file)
    else:
        choose_key(page, file)
    if button:
        page.locator("[data-unseal]").get_by_role("button", name=button, exact=True).click()


def faults_on(page: Page) -> list[str]:
    found = accessibility_violations(page)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth") > width:
            found.append(f"wider than {width}")
    return found


def test_the_browser_seals_a_hand_over_that_plain_age_opens(
    page: Page, hosted: Hosted, desk: Desk, receipt: dict[str, Any]
) -> None:
    reference, sent = receipt["reference"], []
    page.on("request", lambda request: sent.append(request.post_data_buffer or b""))
    page.goto(f"/desk/concerns/{reference}")
    Keyboard(page).open_up("Hand it over")
    page.get_by_label("Which organisation").select_option(BODY)
    page.get_by_label("Reason. Recorded, and sent to the organisation").fill(REASON)
    press = page.get_by_role("button", name="Hand it over", exact=True)
    press.press("Enter")
    expect(page.get_by_role("alert").filter(has_text="Open the concern on this page first")).to_be_visible()
    found = {"concern": faults_on(page)}
    choose(page, hosted.team)
    expect(page.get_by_text(NARRATIVE)).to_be_visible()

    press.press("Enter")

    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()
    found["handed over"] = faults_on(page)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the file").press("Enter")
    package = saved.value.path().read_bytes()
    opened = json.loads(
        pyrage.decrypt(package, [pyrage.x25519.Identity.from_str(hosted.neighbour.read_text().strip())])
    )
    age = shutil.which("age")
    if age is not None:
        plain = subprocess.run([age, "-d", "-i", hosted.neighbour], input=package, capture_output=True, check=True)
        assert json.loads(plain.stdout) == opened
    assert (opened["kind"], opened["body"], opened["reason"]) == ("guidance-hand-over", BODY, REASON)
    assert opened["concern"]["submission"]["concern"]["narrative"] == NARRATIVE
    assert [each["addition"]["concern"]["narrative"] for each in opened["additions"]] == [ADDED]
    path = f"/concerns/{reference}/hand-over"
    (entry,) = desk.get(path).json()["hand_overs"]
    who = [client for act, client, _ in acts_on(hosted.service, reference) if act == DeskAct.HANDED_OVER]
    assert (entry["body"], entry["reason"], entry["additions"], who) == (BODY, REASON, 1, [f"{OF_A_PROVIDER}/{JO}"])
    assert [each for each in sent if NARRATIVE.encode() in each or b"AGE-SECRET" in each] == []
    assert found == {"concern": [], "handed over": []}


def test_a_hand_over_to_a_kind_of_key_that_is_left_out_is_refused_in_plain_words(
    page: Page, hosted: Hosted, receipt: dict[str, Any]
) -> None:
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"/desk/concerns/{receipt['reference']}")
    choose(page, hosted.team)
    expect(page.get_by_text(NARRATIVE)).to_be_visible()

    hand_over(page, BODY_WITH_ANOTHER_KIND_OF_KEY)

    expect(page.get_by_role("alert")).to_contain_text("of a kind that is not used here. Nothing was sent")
    assert errors == []


def hand_over(page: Page, body: str = BODY) -> None:
    """Fill in the form and send it, without saving the file."""
    Keyboard(page).open_up("Hand it over")
    page.get_by_label("Which organisation").select_option(body)
    page.get_by_label("Reason. Recorded, and sent to the organisation").fill(REASON)
    page.get_by_role("button", name="Hand it over", exact=True).press("Enter")


def save(page: Page, link: str) -> bytes:
    """Save the file of the link, and return it."""
    with page.expect_download() as saved:
        page.get_by_role("link", name=link).first.press("Enter")
    return saved.value.path().read_bytes()


@pytest.fixture
def reading(hosted: Hosted, tmp_path: Path) -> Iterator[Hosted]:
    """A desk whose service opens concerns."""
    to = pyrage.x25519.Identity.from_str(hosted.neighbour.read_text().strip()).to_public()
    service = a_service(data_dir=tmp_path / "reads", hand_over_bodies={BODY: str(to)})
    with run_server(service) as address:
        yield Hosted(service, address.replace("127.0.0.1", "localhost"), hosted.team, hosted.neighbour)


def show(page: Page, at: Hosted, reference: str, *, has_key: bool) -> None:
    """Show the concern with its words."""
    page.goto(f"{at.url}/desk/concerns/{reference}")
    if has_key:
        choose(page, at.team)
    expect(page.get_by_text(NARRATIVE)).to_be_visible()


@pytest.mark.parametrize("kind", first_by_day(["cannot read", "reads"]))
def test_the_file_is_offered_until_it_is_saved(
    page: Page, hosted: Hosted, kind: str, request: pytest.FixtureRequest
) -> None:
    at: Hosted = hosted if kind == "cannot read" else request.getfixturevalue("reading")
    sign_in(page, at.service)
    reference = raise_at(at.url, **FULL_EXAMPLE)["reference"]
    show(page, at, reference, has_key=kind == "cannot read")
    hand_over(page)
    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()
    receipt = save(page, "Save our receipt").decode()
    page.get_by_role("link", name="Back to the concern").press("Enter")
    expect(page.get_by_text("This tab offers it here")).to_be_visible()
    page.reload()
    expect(page.get_by_text("The file of a hand-over is not saved yet.")).to_be_visible()
    found = accessibility_violations(page)

    file = save(page, "Save the file")

    expect(page.get_by_text("You have saved this file.")).to_be_visible()
    expect(page.get_by_text("The file of a hand-over is not saved yet.")).to_have_count(0)
    claims = json.loads(base64.urlsafe_b64decode(receipt.split(".")[1] + "=="))
    assert claims["package_sha256"] == hashlib.sha256(file).hexdigest()
    assert json.loads(pyrage.decrypt(file, [pyrage.x25519.Identity.from_str(at.neighbour.read_text().strip())]))
    assert found == []
    sign_out(page)
    expect(page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    assert page.evaluate("sessionStorage.length") == 0


def test_a_file_with_a_lost_answer_is_offered_after_a_sign_out(page: Page, hosted: Hosted, desk: Desk) -> None:
    reference = raise_at(hosted.url, **FULL_EXAMPLE)["reference"]
    show(page, hosted, reference, has_key=True)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    page.route("**/hand-over", lose, times=1)
    hand_over(page)
    expect(page.get_by_role("alert").filter(has_text="The service does not answer")).to_be_visible()
    page.reload()
    expect(page.get_by_text("This tab offers it here")).to_be_visible()
    sign_out(page)
    expect(page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    sign_in(page, hosted.service)
    page.goto(f"/desk/concerns/{reference}")

    file = save(page, "Save the file")

    (entry,) = desk.get(f"/concerns/{reference}/hand-over").json()["hand_overs"]
    assert entry["package_sha256"] == hashlib.sha256(file).hexdigest()


@pytest.mark.nightly
def test_pressing_again_after_a_lost_answer_hands_over_once(page: Page, hosted: Hosted, desk: Desk) -> None:
    reference = raise_at(hosted.url, **FULL_EXAMPLE)["reference"]
    show(page, hosted, reference, has_key=True)
    page.route("**/hand-over", lambda route: (route.fetch(), route.abort()), times=1)
    hand_over(page)
    expect(page.get_by_role("alert").filter(has_text="The service does not answer")).to_be_visible()

    page.get_by_role("button", name="Hand it over", exact=True).press("Enter")

    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()
    (entry,) = desk.get(f"/concerns/{reference}/hand-over").json()["hand_overs"]
    assert entry["package_sha256"] == hashlib.sha256(save(page, "Save the file")).hexdigest()


def test_a_browser_that_stores_nothing_asks_before_the_only_file_is_left(page: Page, hosted: Hosted) -> None:
    asked = list[str]()

    def answer(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    page.on("dialog", answer)
    page.add_init_script("Storage.prototype.setItem = () => { throw new DOMException('', 'QuotaExceededError'); };")
    show(page, hosted, raise_at(hosted.url, **FULL_EXAMPLE)["reference"], has_key=True)
    hand_over(page)
    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()

    page.reload()

    assert asked == ["beforeunload"]


def test_a_provider_s_person_makes_a_passkey_that_locks_the_identity(
    page: Page, hosted: Hosted, receipt: dict[str, Any], tmp_path: Path
) -> None:
    page.goto("/desk/key")
    choose(page, hosted.team)
    page.get_by_text("Lock the file that you chose").press("Enter")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Lock by a passkey").press("Enter")
    locked = tmp_path / "identity-locked.age"
    saved.value.save_as(locked)
    expect(page.locator("[data-lock]")).to_have_text("Unlocked")  # a press before that would choose another file
    page.locator("[data-lock]").press("Enter")
    page.goto(f"/desk/concerns/{receipt['reference']}")

    choose(page, locked, "Open with the passkey")

    expect(page.get_by_text(NARRATIVE)).to_be_visible()
    assert b"AGE-SECRET-KEY" not in locked.read_bytes()
    assert b"fido2prf" in locked.read_bytes()


def test_unseal_html_opens_and_names_sealed_files_of_the_api_offline(
    browser: Browser, hosted: Hosted, desk: Desk, receipt: dict[str, Any], tmp_path: Path
) -> None:
    reference, files = receipt["reference"], []
    for path in ("", "/additions/1"):
        answer = desk.get(f"/concerns/{reference}{path}", Accept="application/age")
        name = answer.headers["content-disposition"].partition('filename="')[2].rstrip('"')
        files.append(tmp_path / name)
        files[-1].write_bytes(answer.content)
    offline = browser.new_context(offline=True, viewport={"width": 320, "height": 640})
    alone, requests = offline.new_page(), []
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto(UNSEAL_PAGE.as_uri())

    alone.get_by_label("The sealed concern, with what was added to it").set_input_files(files)
    choose(alone, hosted.team)

    expect(alone.get_by_text(NARRATIVE)).to_be_visible()
    expect(alone.get_by_role("heading", name="What was added 1")).to_be_visible()
    expect(alone.get_by_text(ADDED)).to_be_visible()
    assert faults_on(alone) == []
    assert requests == [UNSEAL_PAGE.as_uri()]
    misnamed = tmp_path / "8WX8-4WYM-9ZWZ.age"
    misnamed.write_bytes(files[0].read_bytes())
    alone.get_by_label("The sealed concern, with what was added to it").set_input_files(misnamed)
    expect(alone.locator("#concern-fault")).to_contain_text("This is not the text that belongs here")
    assert NARRATIVE not in alone.content()
    offline.close()
