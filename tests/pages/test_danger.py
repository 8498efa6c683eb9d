"""Saying that a child is in danger changes what comes next: 999 first, and one sentence is enough to send."""

import datetime as dt
import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.support.clock import SettableClock
from tests.support.desk import Desk
from tests.support.form_answers import KEY, NARRATIVE, REQUIRED_ANSWERS, reference_in
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ADULT, CHILD = "/raise-a-concern", "/worried-about-yourself"
FORMS = (ADULT, f"{ADULT}/{SLUG}", CHILD)
IN_DANGER = {"immediate_danger": "yes", "count:children": "1", "key": KEY, "edition": "1"}
BAND = 'class="alarm"'
CHILDLINE = 'href="tel:08001111"'
A_SATURDAY_NIGHT = dt.datetime(2026, 11, 28, 2, 54, tzinfo=dt.UTC)


def main_of(answer: Any) -> str:
    return str(answer.text.partition("<main")[2].partition("</main>")[0])


def band_of(answer: Any) -> str:
    """Return what helps in danger. It is on the page once, and before the heading of the page."""
    main = main_of(answer)
    assert main.count(BAND) == 1
    return main.partition(BAND)[2].partition("</section>")[0]


def begins_with_help(answer: Any) -> bool:
    """Return whether nothing comes before it, but that the words have come."""
    band_of(answer)
    main = main_of(answer)
    before = re.sub('<div class="panel"[^>]*>.*?</h1>', "", main.partition(BAND)[0], flags=re.DOTALL)
    return not re.search("<(?:h1|h2|a|button|input)\\b", before)


@pytest.mark.parametrize("path", FORMS)
def test_pages_after_danger_begin_with_999_and_ways_without_speech(client: TestClient, path: str) -> None:
    told = IN_DANGER | {"concern.narrative": NARRATIVE, "reporter.kind": "family"}

    pages = {
        "checked": client.post(path, data=told | {"do": "check"}),
        "not whole": client.post(path, data=IN_DANGER | {"do": "check"}),
        "changed": client.post(path, data=told | {"do": "change:danger"}),
        "asked for a sentence": client.post(path, data=IN_DANGER | {"do": "now"}),
        "sent": client.post(path, data=told | {"do": "send"}),
    }

    assert [page.status_code for page in pages.values()] == [200, 422, 200, 200, 201]
    for name, page in pages.items():
        assert begins_with_help(page), name
        band = band_of(page)
        assert '<a class="dial" href="tel:999">Call 999</a>' in band, name
        assert "press 55" in band, name
        if name == "asked for a sentence":  # the page before had it whole
            continue
        assert "999 BSL" in band, name
        assert "tel:18000" in band, name
        assert ("Childline" in band) == (path == CHILD), name


@pytest.mark.parametrize("path", FORMS)
def test_the_form_has_help_beside_danger_and_a_quick_send_button(client: TestClient, path: str) -> None:
    form = client.get(path)

    main = main_of(form)
    band_of(form)
    yes = re.search(r'<input [^>]*name="immediate_danger" value="yes"[^>]*>', main)
    assert yes is not None
    assert re.search('<div data-danger hidden>\\s*<section class="alarm"', main)
    after = main.partition("data-danger")[2]
    assert after.index('name="do" value="now"') < after.index("data-step")  # within the first step


@pytest.mark.parametrize("danger", ["no", "not_sure"])
def test_pages_without_an_answer_of_danger_stay_calm(client: TestClient, danger: str) -> None:
    told = REQUIRED_ANSWERS | {"immediate_danger": danger, "count:children": "1"}

    checked, sent = (client.post(ADULT, data=told | {"do": do}) for do in ("check", "send"))

    assert (checked.status_code, sent.status_code) == (200, 201)
    assert BAND not in checked.text + sent.text
    for page in (checked, sent):
        assert ("Not sure? Call now" in page.text) == (danger == "not_sure")


@pytest.mark.parametrize(("path", "first"), [(ADULT, "+441225396312"), (CHILD, "+448001111")])
def test_not_sure_is_answered_with_somebody_to_decide_with(
    client: TestClient, clock: SettableClock, path: str, first: str
) -> None:
    clock.time = dt.datetime(2026, 11, 25, 11, 0, tzinfo=dt.UTC)
    box = main_of(client.get(path)).partition("data-unsure")[2].partition("</section>")[0]

    assert re.findall('href="tel:([^"]*)"', box)[0] == first
    assert "hidden" in box.partition(">")[0]
    assert 'href="tel:999"' in box


def test_what_is_added_by_somebody_not_sure_is_answered_too(client: TestClient, receipt: dict[str, Any]) -> None:
    place = {"reference": receipt["reference"], "code": receipt["status_token"], "narrative": "He came back."}

    added = client.post("/concerns/additions", data=place | {"immediate_danger": "not_sure"})

    assert main_of(added).index("Not sure? Call now") < main_of(added).index("<dl")


@pytest.mark.parametrize("path", FORMS)
def test_in_danger_a_concern_is_sent_with_that_answer_and_one_sentence(
    client: TestClient, desk: Desk, path: str
) -> None:
    asked = client.post(path, data=IN_DANGER | {"do": "now"})
    hidden = dict(re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', main_of(asked)))

    empty = client.post(path, data=hidden | {"do": "send-now", "concern.narrative": " "})
    sent = client.post(path, data=hidden | {"do": "send-now", "concern.narrative": "He is at the door."})

    assert (asked.status_code, empty.status_code, sent.status_code) == (200, 422, 201)
    assert "There is a problem" not in asked.text
    assert "One sentence is enough." in main_of(empty).partition('role="alert"')[2]
    opened = desk.get(f"/concerns/{reference_in(sent.text)}").json()["submission"]
    assert opened["immediate_danger"] == "yes"
    assert opened["concern"]["narrative"] == "He is at the door."
    assert opened["reporter"]["kind"] == ("child" if path == CHILD else "anonymous")


def test_quick_send_keeps_answers_and_sends_once_there_is_a_sentence(client: TestClient, desk: Desk) -> None:
    told = IN_DANGER | {"children.0.given_names": "Alex", "reporter.kind": "family", "do": "now"}

    asked = client.post(ADULT, data=told)
    sent = client.post(ADULT, data=told | {"concern.narrative": NARRATIVE})

    assert 'name="children.0.given_names" value="Alex"' in main_of(asked)
    assert sent.status_code == 201
    opened = desk.get(f"/concerns/{reference_in(sent.text)}").json()["submission"]
    assert opened["children"] == [{"given_names": "Alex"}]
    assert opened["reporter"]["kind"] == "family"


def test_two_presses_in_danger_make_one_concern(client: TestClient) -> None:
    told = IN_DANGER | {"concern.narrative": "He is here.", "do": "now"}

    pages = [client.post(ADULT, data=told) for _ in range(2)]

    assert len({reference_in(page.text) for page in pages}) == 1


def test_a_mistake_elsewhere_is_shown_with_999_first_and_nothing_is_lost(client: TestClient) -> None:
    told = IN_DANGER | {"concern.narrative": NARRATIVE, "concern.latest_event:year": "next", "do": "now"}

    answer = client.post(ADULT, data=told)

    assert answer.status_code == 422
    assert begins_with_help(answer)
    assert NARRATIVE in answer.text


def test_what_is_added_in_danger_is_answered_with_999_first(client: TestClient, receipt: dict[str, Any]) -> None:
    place = {"reference": receipt["reference"], "code": receipt["status_token"]}
    form = client.post("/concerns", data=place)

    added = {
        danger: client.post(
            "/concerns/additions", data=place | {"narrative": f"More: {danger}.", "immediate_danger": danger}
        )
        for danger in ("no", "yes")
    }

    assert main_of(form).index("<h1") < main_of(form).index(BAND)  # at the answer
    assert begins_with_help(added["yes"])
    assert not begins_with_help(added["no"])
    assert "Do not wait for us: call." in main_of(added["yes"])
    assert "24 November 2026 at 10:30" not in main_of(added["yes"])


def test_the_numbers_of_a_page_begin_with_the_team_that_answers_now(
    client: TestClient, clock: SettableClock, receipt: dict[str, Any]
) -> None:
    place = {"reference": receipt["reference"], "code": receipt["status_token"]}
    told = REQUIRED_ANSWERS | {"count:children": "1", "do": "send"}
    for clock.time, first in (
        (A_SATURDAY_NIGHT, "+441454615165"),
        (dt.datetime(2026, 11, 25, 11, 0, tzinfo=dt.UTC), "+441225396312"),
    ):
        client.app.state.context.response_cache.clear()  # type: ignore[attr-defined]  # the clock went back
        pages = {
            path: client.get(path, headers={"Accept": "text/html"})
            for path in ("/", "/search", f"/guides/{SLUG}", "/concerns", "/no-such-page", ADULT, CHILD, "/cy/")
        }
        pages |= {"status": client.post("/concerns", data=place), "receipt": client.post(ADULT, data=told)}
        for name, page in pages.items():
            numbers = re.findall(r'href="tel:(\+44(?:1225|1454)[0-9]*)"', main_of(page))
            assert numbers[0] == first, name


def test_no_page_and_no_print_invents_hours(client: TestClient) -> None:
    for path in ("/", f"/guides/{SLUG}", "/concerns", f"/v1/guides/{SLUG}.md"):
        page = client.get(path).text
        assert "office hours" not in page, path
        assert "do not have to be sure" not in page, path


def test_a_shared_time_is_named_once_and_midnight_ends_a_day(client: TestClient, clock: SettableClock) -> None:
    clock.time = A_SATURDAY_NIGHT
    told = REQUIRED_ANSWERS | {"count:children": "1", "do": "send"}
    sent = client.post(ADULT, data=told)
    code = re.findall(r'<span class="code-words">([^<]*)</span>', sent.text)[0]
    signed = re.findall(r'name="receipt" value="([^"]*)"', sent.text)[0]

    status = client.post("/concerns", data={"reference": reference_in(sent.text), "code": code})
    saved = client.post("/concerns/receipt", data={"receipt": signed, "code": code})
    welsh = client.post(f"/cy{ADULT}", data=told)

    for page in (sent, status, saved):
        assert "reply by" not in page.text.lower()
        assert "00:00" not in page.text
        assert "by the end of Monday 30 November 2026" in " ".join(page.text.split()) or (
            "<dd>the end of Monday 30 November 2026</dd>" in page.text
        )
    assert "diwedd dydd Llun 30 Tachwedd 2026" in welsh.text
