"""What a worker types at the desk on their own machine: sealed there, and given back where it is not taken."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from app.models.desk.disclosure_tables import DeskAct
from app.pages.desk.local_pages import LocalPages
from app.server.local_desk import LocalDesk
from app.server.local_sealing import LocalSealing
from app.services.access.key_files import create_identity
from app.services.concerns.sealing import read_identities
from tests.support.canaries import CANARY, traces
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import Concern
from tests.support.databases import files_of
from tests.support.desk_forms import FORM, KEY, SEEN, acts_on, press, text_of
from tests.support.messages import read_messages
from tests.support.people import OWN_PAGE
from tests.support.workers import worker_of

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ORIGIN = "http://127.0.0.1:8123"
WORDS = f"{CANARY} rang <twice>.\r\nAgain on Monday."
SHOWN = WORDS.replace("\r\n", "\n")
HIDDEN = re.compile(r'<input type="hidden" name="(recipients?)" value="([^"]*)">')
OURS = re.compile(r'<section class="wide" aria-labelledby="typed-here">.*?</section>', re.DOTALL)


@dataclass
class Wire:
    """The service as the local desk calls it: every request is remembered, and a test may answer instead."""

    http: Any
    sent: list[bytes] = field(default_factory=list)
    answer: Callable[..., httpx.Response] | None = None
    base_url: httpx.URL = field(default_factory=lambda: httpx.URL("http://testserver"))

    def request(self, method: str, address: str, *, content: bytes, headers: dict[str, str]) -> Any:
        self.sent.append(f"{method} {address} {headers}".encode() + content)
        answered = self.answer
        if answered is not None:
            return answered()
        return self.http.request(method, address, content=content, headers=headers)


@dataclass(frozen=True)
class Bench:
    """A service that cannot read, a concern there, and the desk of a worker's own machine in a browser."""

    service: Any
    wire: Wire
    browser: TestClient
    receipt: dict[str, Any]
    data_dir: Path

    @property
    def reference(self) -> str:
        return str(self.receipt["reference"])

    def form(self, **changes: str) -> dict[str, str]:
        """Return the fields of the forms of the page as it is now, with the words."""
        page = self.browser.get(f"/desk/concerns/{self.reference}").text
        own = {"seen": SEEN.findall(page)[0], "key": KEY.findall(page)[0]} | dict(HIDDEN.findall(page))
        return own | {"text": WORDS} | changes

    def acts(self) -> list[str]:
        return [act for act, _, _ in acts_on(self.service, self.reference)]


@pytest.fixture
def bench(tmp_path: Path, a_concern: Concern) -> Iterator[Bench]:
    team, spare = tmp_path / "team.txt", tmp_path / "spare.txt"
    keys = tuple(create_identity(path, at=A_TUESDAY) for path in (team, spare))
    service = create_app(Settings(data_dir=tmp_path / "data", deliver=False, seal_to=keys), SettableClock())
    with TestClient(service, follow_redirects=False) as http:
        receipt = http.post("/v1/concerns", json=a_concern()).json()
        http.headers.update(worker_of(service, http, "Robin Example").headers)
        wire = Wire(http)
        yield Bench(service, wire, local_desk(wire, team, keys), receipt, tmp_path / "data")


def local_desk(wire: Any, identity: Path, known: tuple[str, ...]) -> TestClient:
    def labels(_guide: str, _edition: int) -> Any:
        raise ValueError

    pages, sealing = LocalPages(read_identities(identity), labels), LocalSealing(known, lambda: A_TUESDAY)
    desk = LocalDesk(wire, pages, sealing=sealing)
    browser = TestClient(desk.asgi(ORIGIN), base_url=ORIGIN, follow_redirects=False, headers=OWN_PAGE)
    assert browser.get(desk.first_path).status_code == 303
    return browser


def given_back(answer: Any, words: str = SHOWN) -> bool:
    """Return whether the words are in a form of this machine, which comes before all that the service sent."""
    body = answer.text.partition("<body>")[2]
    found = OURS.search(body)
    starts = (
        '<section class="wide" aria-labelledby="typed-here">',
        '<main id="main" class="wide" tabindex="-1">\n<h1>',
    )
    is_first = body.lstrip().startswith(starts)  # or inside a page of this machine
    return found is not None and is_first and f">\n{html.escape(words)}</textarea>" in found[0]


def test_a_note_and_a_question_are_sealed_here_and_no_byte_of_them_reaches_the_service(bench: Bench) -> None:
    noted = press(bench.browser, bench.reference, "notes", **bench.form())
    asked = press(bench.browser, bench.reference, "messages", **bench.form())

    page = bench.browser.get(f"/desk/concerns/{bench.reference}")
    assert (noted.status_code, noted.headers["location"]) == (303, f"/desk/concerns/{bench.reference}#notes")
    assert asked.status_code == 303
    assert html.escape(SHOWN) in page.text
    assert "Note 1 by Robin Example" in text_of(page)
    assert traces(b"".join(bench.wire.sent)) == []
    assert {name: traces(content) for name, content in files_of(bench.data_dir).items() if traces(content)} == {}
    own = [each for each in bench.wire.sent if b"sealed=" in each]
    assert len(own) == 2
    assert not any(b"text=" in each for each in own)
    (message,) = read_messages(bench.wire.http, bench.receipt)
    assert message["message"] == SHOWN


def test_a_form_that_is_pressed_twice_or_again_after_a_lost_answer_is_taken_once(bench: Bench) -> None:
    form = bench.form()

    first = press(bench.browser, bench.reference, "notes", **form)
    for act in ("notes", "messages"):
        assert press(bench.browser, bench.reference, act, **form | {"seen": "99"}).status_code == 303
        assert press(bench.browser, bench.reference, act, **form | {"seen": "99"}).status_code == 303

    assert first.status_code == 303
    assert (bench.acts().count(DeskAct.NOTED), bench.acts().count(DeskAct.MESSAGE_SENT)) == (1, 1)


@pytest.mark.parametrize(
    ("act", "words"),
    [("notes", " \r\n "), ("notes", "x" * 10_001), ("messages", " "), ("messages", "x" * 4_001)],
    ids=("an empty note", "a long note", "an empty question", "a long question"),
)
def test_words_that_are_none_or_too_many_are_judged_before_they_are_sealed(bench: Bench, act: str, words: str) -> None:
    form = bench.form(text=words)
    before = len(bench.wire.sent)

    answer = press(bench.browser, bench.reference, act, **form)

    assert answer.status_code == 422
    assert 'class="fault"' in answer.text
    assert given_back(answer, words.strip())
    assert len(bench.wire.sent) == before


@pytest.mark.parametrize("named", ["another", "one of each", "none", "no key"])
def test_a_key_that_nobody_named_to_this_desk_gets_no_note(bench: Bench, tmp_path: Path, named: str) -> None:
    form = bench.form()
    another = create_identity(tmp_path / "another.txt", at=A_TUESDAY)
    keys = {"another": another, "one of each": f"{form['recipients']} {another}", "none": "", "no key": "age1no"}
    before = len(bench.wire.sent)

    answer = press(bench.browser, bench.reference, "notes", **form | {"recipients": keys[named]})

    assert answer.status_code == 422
    assert "names a key that this desk does not know" in answer.text
    assert given_back(answer)
    assert len(bench.wire.sent) == before


def test_a_question_without_a_key_of_the_reporter_is_not_sent(bench: Bench) -> None:
    form = bench.form()
    before = len(bench.wire.sent)

    answers = [press(bench.browser, bench.reference, "messages", **form | {"recipient": key}) for key in ("", "age1no")]

    assert ["cannot be sent a question" in each.text and given_back(each) for each in answers] == [True, True]
    assert len(bench.wire.sent) == before


def test_what_the_service_refuses_is_said_and_the_words_are_there_to_be_sent_again(bench: Bench) -> None:
    form = bench.form()
    sam = worker_of(bench.service, bench.wire.http, "Sam Example")
    sam.act(bench.reference, "acknowledgement", up_to_addition=0)
    sam.act(bench.reference, "hold", held=True, reason="Court.")

    meanwhile = press(bench.browser, bench.reference, "messages", **form)
    again = dict(re.findall(r'name="(seen|key|recipient)" value="([^"]*)"', OURS.findall(meanwhile.text)[0]))
    sent = press(bench.browser, bench.reference, "messages", **again, text=WORDS)

    assert (meanwhile.status_code, sent.status_code) == (412, 303)
    assert "Something happened meanwhile" in meanwhile.text
    assert given_back(meanwhile)
    assert meanwhile.text.count("<textarea") == 1
    sam.act(bench.reference, "hold", held=False, reason="Over.")
    assert sam.act(bench.reference, "erasure", reason="Requested in writing.").is_success
    erased = press(bench.browser, bench.reference, "notes", **form)
    assert ("The words were erased" in erased.text, given_back(erased)) == (True, True)


def test_where_the_keys_changed_since_the_page_was_opened_the_form_has_the_new_ones(bench: Bench) -> None:
    form = bench.form()
    one = form["recipients"].split()[0]

    refused = press(bench.browser, bench.reference, "notes", **form | {"recipients": one})  # as it was before
    (found,) = OURS.findall(refused.text)
    again = dict(re.findall(r'name="(seen|key|recipients)" value="([^"]*)"', found))
    taken = press(bench.browser, bench.reference, "notes", **again, text=WORDS)

    assert (refused.status_code, given_back(refused), taken.status_code) == (422, True, 303)
    assert "not the keys that this service seals to now" in html.unescape(refused.text)
    assert again["recipients"] == form["recipients"]
    assert traces(b"".join(bench.wire.sent)) == []


HOSTILE = (
    "<main><form action=/desk/x><textarea name=reason>",
    '<main><form method="post" action="/desk/notes"><select name=reason><option>',
    "<table><form action=/desk/x><tr><main>",
    "</section></form><form action=/desk/x><main>",
)


@pytest.mark.parametrize("page", HOSTILE)
def test_a_service_that_was_taken_over_gets_no_form_around_the_words(bench: Bench, page: str) -> None:
    form = bench.form()
    bench.wire.answer = lambda: httpx.Response(200, html=page)

    answer = press(bench.browser, bench.reference, "notes", **form)

    assert given_back(answer)
    assert answer.text.count(html.escape(SHOWN)) == 1
    assert f'<form method="post" action="/desk/concerns/{bench.reference}/notes">' in OURS.findall(answer.text)[0]


CLEAR = {
    "in another form": ("POST", "/hold", {"held": "yes", "text": WORDS}),
    "in a form without a concern": ("POST", "/../../views", {"text": WORDS}),
    "in an address": ("GET", f"?text={CANARY}", {}),
    "in the address of a form": ("POST", f"/notes/?text={CANARY}", {"reason": "x"}),
    "beside the words of another form": ("POST", "/acknowledgement", {"text": WORDS}),
}


@pytest.mark.parametrize("place", CLEAR)
def test_no_form_and_no_address_carries_words_in_clear(bench: Bench, place: str) -> None:
    method, path, fields = CLEAR[place]

    answer = bench.browser.request(method, f"/desk/concerns/{bench.reference}{path}", data=fields or None)

    assert answer.status_code == 400
    assert "would send words in clear" in answer.text
    assert bench.wire.sent == []


def test_what_is_no_form_of_a_page_is_not_sent_either(bench: Bench) -> None:
    path = f"/desk/concerns/{bench.reference}/hold"

    as_file = bench.browser.post(path, files={"text": WORDS.encode()})
    as_json = bench.browser.post(path, json={"text": WORDS})
    escaped = bench.browser.post(path, content=b"te%78t=" + CANARY.encode(), headers=FORM)

    assert [each.status_code for each in (as_file, as_json, escaped)] == [400, 400, 400]
    assert bench.wire.sent == []
