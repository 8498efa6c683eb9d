"""A worker's day at a service that cannot read: in the browser, and no word of it elsewhere.

A proxy between the server and the browser keeps every byte.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from app.models.access.clients import Scope
from app.services.concerns.keys import create_identity
from tests.support.browsing import Keyboard, browser_with_profile, sign_out
from tests.support.canaries import CANARY, forms_of, planted, traces
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import add, read_messages
from tests.support.databases import files_of
from tests.support.live import LiveServer
from tests.support.people import JO, virtual_authenticator
from tests.support.unsealing import RecordingProxy, choose_key, locked_by_passphrase, memory_of, need_script, unlock

pytestmark = [
    pytest.mark.any_database,
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the memory of the service in /proc"),
]

BODY = "Example Council"
REASON = "The child lives there."
RECEIPT = "Received by Example Council, number 17."


def hand_over(keys: Keyboard, file: Path) -> None:
    """Pick the body, say why, send, save the file, and store the receipt that the body sends back."""
    page = keys.page
    keys.open_up("Hand it over")
    keys.write("Which organisation", BODY)
    keys.write("Reason. Recorded, and sent to the organisation", REASON)
    keys.press("button", "Hand it over")
    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()
    with page.expect_download() as saved:
        keys.press("link", "Save the file")
    saved.value.save_as(file)
    keys.press("link", "Skip to main content")
    expect(page.get_by_role("heading", name="Hand-over recorded")).to_be_visible()
    keys.press("link", "Back to the concern")
    keys.write("Receipt that the organisation sent back", RECEIPT)
    keys.press("button", "Store the receipt")
    expect(page.get_by_text("Done: receipt from the other organisation stored")).to_be_visible()
    keys.open_up("What was done")
    expect(page.get_by_text(f"Handed over by {JO}")).to_be_visible()


def see_on_record(http: Any, reference: str, file: Path) -> None:
    """The one hand-over has the digest of the file, the body, why, and both receipts."""
    (entry,) = http.get(f"/v1/desk/concerns/{reference}/hand-over").json()["hand_overs"]
    assert entry["package_sha256"] == sha256(file.read_bytes()).hexdigest()
    assert (entry["body"], entry["reason"], entry["their_receipt"]) == (BODY, REASON, RECEIPT)
    assert entry["receipt"].count(".") == 2


def open_as_body(file: Path, identity: Path) -> Any:
    """Return what is in the file: by the `age` program, if there is one."""
    age = shutil.which("age")
    if age is None:
        keys = [pyrage.x25519.Identity.from_str(identity.read_text().split()[-1])]
        return json.loads(pyrage.decrypt(file.read_bytes(), keys))
    plain = subprocess.run([age, "-d", "-i", identity, file], capture_output=True, check=True)
    return json.loads(plain.stdout)


LOCK = "an invented passphrase of words"
TYPED = {
    "note": "ZymurgyNote by the worker.",
    "question": "ZymurgyQuestion?",
    "unsent": "ZymurgyUnsent",
    "label": "ZymurgyLabel",
    "call": "ZymurgyCall about {given_names} {family_name}.".format(**planted()[0]["children"][0]),
}
OF_TYPED = ("ZymurgyNote", "ZymurgyQuestion", "ZymurgyUnsent", "ZymurgyLabel", "ZymurgyCall")
LATER = "A later answer of the reporter."
A4 = (0, 0, 595, 842)
PRESSES = 3


@dataclass(frozen=True)
class Sealed:
    """A server with only recipients, its concern from before the last start, and the way to it past the proxy."""

    server: LiveServer
    proxy: RecordingProxy
    identity: Path
    locked: Path
    neighbour: Path
    receipt: dict[str, Any]

    @property
    def folder(self) -> Path:
        """Return the folder of the saved files of hand-overs."""
        return self.identity.parent

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.proxy.port}"


@pytest.fixture
def sealed(tmp_path: Path) -> Iterator[Sealed]:
    need_script()
    identity, locked = tmp_path / "keys" / "team.txt", tmp_path / "keys" / "team.age"
    recipient = create_identity(identity, at=A_TUESDAY)
    locked.write_bytes(locked_by_passphrase(identity.read_bytes(), LOCK))
    neighbour = tmp_path / "keys" / "neighbour.txt"
    bodies = json.dumps({BODY: create_identity(neighbour, at=A_TUESDAY)})
    more: dict[str, Any] = {"log_level": "debug", "deliver": "false", "hand_over_bodies": bodies}
    server = LiveServer(tmp_path / "data", seal_to=recipient, **more)
    try:
        receipt = fill(server)
        server.stop()
        server.log.unlink()
        server.start()  # what was received and written is in its memory no more
        proxy = RecordingProxy(int(server.url.rpartition(":")[2]))
        yield Sealed(server, proxy, identity, locked, neighbour, receipt)
        proxy.close()
    finally:
        server.stop()


def fill(server: LiveServer) -> dict[str, Any]:
    """Give the server a concern, and one that waits behind it. Return the receipt of the first."""
    concern = planted()[0]
    server.start()
    key = server.new_key(Scope.READ, Scope.WRITE)
    with server.client() as http:
        assert http.post("/v1/concerns", json=concern | {"immediate_danger": "no"}).is_success
        return written_about(http, key, concern | {"immediate_danger": "yes"})


def written_about(http: httpx.Client, key: str, concern: Any) -> dict[str, Any]:
    """Raise the concern, with a note, a question that was read, and an answer, each with the canary."""
    receipt: dict[str, Any] = http.post("/v1/concerns", json=concern).json()
    path, desk = f"/v1/desk/concerns/{receipt['reference']}", {"Authorization": f"Bearer {key}"}
    assert http.post(f"{path}/notes", json={"text": f"{CANARY} noted"}, headers=desk).is_success
    assert http.post(f"{path}/messages", json={"text": f"{CANARY} asked"}, headers=desk).is_success
    assert read_messages(http, receipt)[0]["message"] == f"{CANARY} asked"
    assert add(http, receipt, f"{CANARY} answered").is_success
    return receipt


@pytest.fixture
def context(browser: Browser, tmp_path: Path, sealed: Sealed) -> Iterator[BrowserContext]:
    """A browser that stores what it will in a profile."""
    size = {"width": 1280, "height": 800}
    with browser_with_profile(browser, tmp_path / "profile", base_url=sealed.origin, viewport=size) as context:
        context.set_default_timeout(30_000)
        yield context


def go_to_words(keys: Keyboard, sealed: Sealed) -> None:
    """Go from the inbox to the words of the concern that comes first."""
    first = keys.page.locator("[data-row]").first
    expect(first).to_contain_text("Danger")
    keys.press("link", first.locator(".row-link").inner_text())
    unlock(keys.page, sealed.identity)
    expect(keys.page.get_by_text(f"{CANARY} answered")).to_be_visible()


def see_every_word(page: Page) -> None:
    """Find every field of the form, the note and the answer."""
    words = page.locator("main").inner_text()
    assert [number for number in range(len(planted()[1])) if not re.search(rf"{CANARY} {number}\b", words)] == []
    assert f"{CANARY} noted" in words


def work(keys: Keyboard, sealed: Sealed, receipt: dict[str, Any]) -> None:
    """Acknowledge, note, ask, read the answer, assign, hand over, close and print."""
    page, reference = keys.page, receipt["reference"]
    keys.press("button", "Acknowledge with addition 1")
    expect(page.locator("#done")).to_contain_text("Done: acknowledged")
    expect(page.locator("#done")).to_be_focused()
    keys.write("New note", TYPED["note"])
    keys.press("button", "Add the note")
    expect(page.locator("p.as-typed", has_text=TYPED["note"])).to_be_visible()
    keys.write("New message to the reporter", TYPED["question"])
    keys.press("button", "Send the message")
    expect(page.get_by_text("Not read yet")).to_be_visible()
    assert TYPED["question"] not in page.content()
    with sealed.server.client() as http:  # the reporter
        assert add(http, receipt, LATER).is_success
    keys.press("link", "Inbox")
    keys.press("link", reference)
    expect(page.get_by_text(LATER)).to_be_visible()
    expect(page.get_by_text("Answered by").last).to_be_visible()
    keys.press("button", "Acknowledge with additions 1 to 2")
    expect(page.get_by_role("button", name="Acknowledge with additions 1 to 2")).to_have_count(0)
    keys.open_up("What was done")
    expect(page.get_by_text("with additions 1 to 2")).to_be_visible()
    keys.press("button", "Assign to me")
    expect(page.get_by_text(f"Done: assigned to {JO}")).to_be_visible()
    recognise(keys)
    keys.press("link", "Inbox")
    keys.press("link", reference)
    hand_over(keys, sealed.folder / f"{reference}.age")
    keys.choose("No further action")
    keys.press("button", "Close the concern")
    expect(page.get_by_text("Done: closed")).to_be_visible()
    print_it(page)


def recognise(keys: Keyboard) -> None:
    """Label the concern, copy it, search by name, and write down a call beside which both concerns are offered."""
    page = keys.page
    keys.write("New label", TYPED["label"])
    keys.press("button", "Set the label")
    expect(page.locator(".facts .words", has_text=TYPED["label"])).to_be_visible()
    keys.open_up("More")
    keys.press("button", "Copy sheet")
    expect(page.locator("#copy-sheet")).to_contain_text(f"{CANARY} answered")
    keys.press("button", "Copy all")
    page.locator("#reference").fill(CANARY)
    expect(page.locator("#found tbody tr")).to_have_count(2)
    keys.press("link", "Write down a call")
    expect(page.get_by_label("What was said")).to_be_focused()
    page.keyboard.type(TYPED["call"])
    page.get_by_role("radio", name="No", exact=True).check()
    expect(page.locator("aside .known > li")).to_have_count(2)
    keys.press("button", "Write it down")
    expect(page.get_by_role("heading", name="Written down")).to_be_visible()


def see_questions(sealed: Sealed) -> None:
    """The reporter reads both questions."""
    with sealed.server.client() as http:
        read = [each["message"] for each in read_messages(http, sealed.receipt)]
    assert read == [f"{CANARY} asked", TYPED["question"]]


def see_hand_over(sealed: Sealed, key: str) -> None:
    """The other body opens the file, and has all that the reporter wrote."""
    file = sealed.folder / f"{sealed.receipt['reference']}.age"
    with sealed.server.client() as http:
        http.headers["Authorization"] = f"Bearer {key}"
        see_on_record(http, sealed.receipt["reference"], file)
    opened = open_as_body(file, sealed.neighbour)
    assert opened["concern"]["submission"] == planted()[0] | {"immediate_danger": "yes"}
    added = [each["addition"]["concern"]["narrative"] for each in opened["additions"]]
    assert (opened["body"], opened["reason"], added) == (BODY, REASON, [f"{CANARY} answered", LATER])


def print_it(page: Page) -> None:
    page.emulate_media(media="print")
    expect(page.get_by_text(f"{CANARY} answered")).to_be_visible()
    expect(page.get_by_text(f"{CANARY} noted")).to_be_hidden()
    boxes = re.findall(rb"/MediaBox \[([0-9. ]+)\]", page.pdf(prefer_css_page_size=True))
    assert {tuple(round(float(each)) for each in box.split()) for box in boxes} == {A4}
    page.emulate_media(media="screen")


def blank(keys: Keyboard) -> None:
    """Type what is not sent, and blank the screen."""
    keys.write("New note", TYPED["unsent"])
    keys.page.keyboard.press("Escape")
    expect(keys.page.get_by_role("link", name="Continue")).to_be_visible()
    assert CANARY not in keys.page.content()
    keys.press("link", "Continue")


def in_browser(page: Page, sealed: Sealed, link: str) -> None:
    """Work at the hosted desk, from the invitation to the day the person leaves."""
    keys = Keyboard(page)
    page.goto(f"/desk/invitation#{link.partition('#')[2]}")
    keys.press("button", "Create a passkey and sign in")
    sign_out(keys.page)
    keys.presses = 0
    keys.press("button", "Sign in with a passkey")
    go_to_words(keys, sealed)
    assert keys.presses <= PRESSES
    see_every_word(page)
    work(keys, sealed, sealed.receipt)
    blank(keys)
    expect(page.get_by_role("heading", name=f"Concern {sealed.receipt['reference']}")).to_be_visible()
    lock = page.locator("[data-lock]")
    for words in ("Unlocked", "Locked: use file"):  # the tab has the file until somebody locks it
        lock.press("Enter")
        expect(lock).to_have_text(words)
    choose_key(page, sealed.locked)
    keys.write("Passphrase of the file", LOCK)
    page.keyboard.press("Enter")
    expect(page.get_by_text(f"{CANARY} answered")).to_be_visible()
    expect(page.get_by_label("New note")).to_have_value(TYPED["unsent"])  # given back, and still not sent


def leave(page: Page, sealed: Sealed, key: str) -> None:
    """Leave: the session is over, also for a thief of it, and so is the key of the person."""
    path = f"/desk/concerns/{sealed.receipt['reference']}"
    (stolen,) = (each["value"] for each in page.context.cookies(sealed.origin) if each["name"] == "desk")
    proofs = [{"Cookie": f"desk={stolen}"}, {"Authorization": f"Bearer {key}"}]
    with sealed.server.client() as thief:
        before = [thief.get(path, headers=each).status_code for each in proofs]
        said = guidance("desk", "leave", JO, "--data-dir", sealed.server.data_dir)
        assert said.returncode == 0
        assert "1 concern is unassigned" in said.stdout
        after = [thief.get(path, headers=each).status_code for each in proofs]
    assert (before, after) == ([200, 200], [303, 303])
    page.get_by_role("link", name="Inbox").press("Enter")
    expect(page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    assert CANARY not in page.content()


@pytest.mark.nightly
def test_a_day_leaves_no_word_or_identity_on_server_wire_or_profile(
    sealed: Sealed, context: BrowserContext, tmp_path: Path
) -> None:
    folder = ("--data-dir", sealed.server.data_dir)
    link = guidance("desk", "invite", JO, "--role", "worker", *folder).stdout.strip()
    key = guidance("clients", "add", "jo", "--role", "worker", "--person", JO, *folder).stdout.split()[-1]
    reader = sealed.server.new_key(Scope.EVENTS, Scope.METRICS)
    page, addresses = context.new_page(), list[str]()
    page.on("request", lambda request: addresses.append(request.url))
    with virtual_authenticator(context, page):
        in_browser(page, sealed, link)
        memory = memory_of(sealed.server.pid)  # before a reporter opens questions, which the service does for them
        see_questions(sealed)
        see_hand_over(sealed, key)
        told = told_to_others(sealed, reader)
        leave(page, sealed, key)
    context.close()

    assert sealed.receipt["reference"].encode() in memory  # it is found where it is
    profile = {path: path.read_bytes() for path in (tmp_path / "profile").rglob("*") if path.is_file()}
    places: dict[Any, bytes] = {**profile, **files_of(sealed.server.data_dir), "log": sealed.server.log.read_bytes()}
    wire = {"sent": bytes(sealed.proxy.sent), "received": bytes(sealed.proxy.received)}
    assert len(profile) > 20
    assert min(map(len, wire.values())) > 10_000
    everywhere = {**places, **wire, **told, "memory": memory, "addresses": "\n".join(addresses).encode()}
    assert {name: traces(content) for name, content in everywhere.items() if traces(content)} == {}
    assert holders(everywhere, sealed.identity.read_text().split()[-1], LOCK, *OF_TYPED) == []
    assert holders(places, LATER) == []


def told_to_others(sealed: Sealed, key: str) -> dict[str, bytes]:
    """Return what metrics and events say."""
    with sealed.server.client() as http:
        http.headers["Authorization"] = f"Bearer {key}"
        answers = {path: http.get(path) for path in ("/metrics", "/v1/desk/metrics", "/v1/events")}
    assert [path for path, answer in answers.items() if not answer.is_success] == []
    return {path: answer.content for path, answer in answers.items()}


def holders(places: dict[Any, bytes], *words: str) -> list[Any]:
    """Return the places that have one of the words, in any way in which a program could write it."""
    secrets = [form for each in words for form in (each.encode(), *forms_of(each))]
    return [name for name, content in places.items() if any(secret in content for secret in secrets)]
