"""The desk on a worker's machine says plainly what happened, whatever the service or the way to it does."""

import re
from typing import Any

import httpx
import pytest
from pyrage import x25519
from starlette.testclient import TestClient

from app.errors import DeskRequestFailed
from app.pages.desk.local_pages import LocalPages
from app.server.local_desk import LocalDesk
from app.server.local_sealing import LocalSealing
from app.services.concerns.sealing import Unsealer
from tests.support.clock import A_TUESDAY
from tests.support.people import OWN_PAGE
from tests.support.waiting import LONG_ENOUGH

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ORIGIN = "http://127.0.0.1:8123"
CONCERN = "/desk/concerns/4F7K-926W-0X37"
GETS = ("/desk", "/desk/day", "/desk/find?reference=x", CONCERN, f"{CONCERN}/additions", f"{CONCERN}/sealed", "/desk/x")
ACTS = ("acknowledgement", "outcome", "assignment", "hold", "erasure", "notes", "messages", "hand-over")
POSTS = (*(f"{CONCERN}/{act}" for act in ACTS), f"{CONCERN}/hand-over/1/receipt", "/desk/looked", "/desk/views")
FOR_WORDS = (f"{CONCERN}/notes", f"{CONCERN}/messages")
WORDS = "Words that nobody may lose."
STATUSES = (301, 304, 400, 401, 403, 404, 409, 410, 418, 422, 429, 500, 502, 503, 504)
PROXY = "<html><body><h1>nginx says something</h1></body></html>"
HEADING = re.compile(r"<h1>([^<]+)</h1>\s*<p>([^<]+)</p>")


def answers_of(answer: Any) -> dict[tuple[str, str], Any]:
    """Return what each path of the desk answers where the service does that."""

    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, type):
            raise answer("a fault", request=request)
        result: httpx.Response = answer()
        return result

    def labels(_guide: str, _edition: int) -> Any:
        raise DeskRequestFailed

    transport, identity = httpx.MockTransport(respond), x25519.Identity.generate()
    own = str(identity.to_public())
    sealing = LocalSealing([own], lambda: A_TUESDAY)
    words = {"text": WORDS, "recipients": own, "recipient": own}
    with httpx.Client(base_url="https://service.example", transport=transport, timeout=LONG_ENOUGH) as service:
        desk = LocalDesk(service, LocalPages(Unsealer((identity,)), labels), sealing=sealing)
        browser = TestClient(desk.asgi(ORIGIN), base_url=ORIGIN, follow_redirects=False, headers=OWN_PAGE)
        browser.get(desk.first_path)
        return {("GET", path): browser.get(path) for path in GETS} | {
            ("POST", path): browser.post(path, data=words if path in FOR_WORDS else {"reason": "x"}) for path in POSTS
        }


def said(answers: dict[tuple[str, str], Any]) -> dict[str, set[tuple[str, str]]]:
    """Return heading and sentence of the pages, by method. Every answer must be such a page."""
    found: dict[str, set[tuple[str, str]]] = {"GET": set(), "POST": set()}
    for (method, path), answer in answers.items():
        assert answer.is_error, path
        (words,) = HEADING.findall(answer.text)
        found[method].add(words)
        assert 'href="/desk"' in answer.text, path
        assert (f">\n{WORDS}</textarea>" in answer.text) == (path in FOR_WORDS and method == "POST"), path
    return found


@pytest.mark.parametrize("status", STATUSES)
def test_a_refusal_that_is_no_page_of_the_desk_is_said_in_plain_words(status: int) -> None:
    as_problem = said(answers_of(lambda: httpx.Response(status, json={"title": "A problem"})))
    of_a_proxy = said(answers_of(lambda: httpx.Response(status, html=PROXY)))

    assert as_problem == of_a_proxy
    assert {len(words) for words in as_problem.values()} == {1}
    ((_, sentence),) = as_problem["POST"]
    assert ("Look at the concern before" in sentence) == (status in (500, 502, 504))


@pytest.mark.parametrize(
    ("failure", "may_be_done"),
    [
        (httpx.ConnectError, False),
        (httpx.ReadTimeout, True),
        (httpx.ReadError, True),
        (httpx.RemoteProtocolError, True),
    ],
)
def test_a_service_that_is_down_or_slow_is_said_in_plain_words(
    failure: type[httpx.HTTPError], may_be_done: bool
) -> None:
    words = said(answers_of(failure))

    assert words["GET"] == {
        ("The service does not answer", "Nothing was done. Try again in a minute, or tell the operator.")
    }
    ((_, sentence),) = words["POST"]
    assert ("It may have done what you sent, or not." in sentence) == may_be_done


def test_a_page_of_the_service_that_refuses_is_shown_as_it_is() -> None:
    page = "<main><h1>It is on hold</h1><p>Nothing on hold is erased. Release it first.</p></main>"

    answers = answers_of(lambda: httpx.Response(409, html=page))

    assert {each.status_code for each in answers.values()} == {409}
    assert {HEADING.findall(each.text)[0][0] for each in answers.values()} == {"It is on hold"}


def test_what_is_not_there_and_a_defect_of_this_machine_are_pages_too(monkeypatch: pytest.MonkeyPatch) -> None:
    with httpx.Client(base_url="https://service.example", timeout=LONG_ENOUGH) as service:
        desk = LocalDesk(service, LocalPages(Unsealer(()), lambda _guide, _edition: None))  # type: ignore[arg-type,return-value]  # never called
        browser = TestClient(desk.asgi(ORIGIN), base_url=ORIGIN, headers=OWN_PAGE, raise_server_exceptions=False)
        monkeypatch.setattr(LocalDesk, "_pass_on", lambda *_: 1 / 0)
        browser.get(desk.first_path)

        answers = [browser.get("/elsewhere"), browser.put("/desk"), browser.get("/desk")]

    assert [each.status_code for each in answers] == [404, 404, 500]
    assert [HEADING.findall(each.text)[0][0] for each in answers] == [
        "There is no page here",
        "There is no page here",
        "Something went wrong on this machine",
    ]
