"""Nobody is sent to a closed team: eight times of a week, on every page and in every answer that has a number."""

import datetime as dt
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from pypdf import PdfReader
from starlette.testclient import TestClient

from app.config import Settings
from app.http.context import AppContext
from app.main import create_app
from app.pages.languages import SHORT_LANGUAGES
from app.services.clock.working_days import LONDON
from app.services.operations.watches import MeasurementContext, Reading, measure_unanswered
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, add, raise_concern, status_of
from tests.support.form_answers import KEY, NARRATIVE
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
HOURS = {"council_name": "Example Council", "duty_hours": "Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm"}
NIGHT = "01632 960009"
DUTY = "Duty and Assessment Team"
TIMES = {  # the time in London, and when the duty team opens if it is closed, as pages and as sentences say it
    "a day": ("2026-11-25 11:00", None),
    "an evening": ("2026-11-25 18:00", "tomorrow at 8:30am"),
    "the night before opening": ("2026-12-02 04:44", "today at 8:30am"),
    "Friday, late in the afternoon": ("2026-11-27 16:40", "on Monday at 8:30am"),
    "a Saturday": ("2026-11-28 11:00", "on Monday at 8:30am"),
    "Sunday night": ("2026-11-29 23:30", "tomorrow at 8:30am"),
    "a bank holiday": ("2026-12-25 11:00", "on Tuesday at 8:30am"),
    "the minute of opening": ("2026-12-02 08:30", None),
}
PAGES = (
    "/",
    "/guides",
    f"/guides/{SLUG}",
    f"/guides/{SLUG}/editions/1",
    "/raise-a-concern",
    f"/raise-a-concern/{SLUG}",
    "/worried-about-yourself",
    "/concerns",
    "/concerns/saved",
    "/covering-your-tracks",
    "/who-can-help",
    "/no-such-page",
    "/cy",
    "/bsl",
    *(f"/{each.code}" for each in SHORT_LANGUAGES),
)
ANSWERS = ("/v1/signposts", "/v1/concerns/form", "/v1/concerns/4F7K-926W-0X3R")
TOLD = {"concern.narrative": NARRATIVE, "reporter.kind": "family", "count:children": "1", "edition": "1", "do": "send"}
CARD = re.compile(r'<section class="(?:card call|box)" aria-labelledby="(?:call|unsure)">.*?</section>', re.DOTALL)
SENDS_NOW = re.compile(
    rf"Call the {DUTY}|Not sure\? Call now</h2>\s*<p>Call the|They will decide with you|open now|You can also call us"
    rf"|(?<!by then, )call the {DUTY} on [0-9 or]+(?: \(option 1\))?\.|or call <a"
)
OTHER_TIMES = "Who to call when this team is closed"


def in_london(wall_time: str) -> dt.datetime:
    return dt.datetime.fromisoformat(wall_time).replace(tzinfo=LONDON).astimezone(dt.UTC)


def a_client(settings: Settings, clock: SettableClock, **more: Any) -> TestClient:
    return TestClient(create_app(Settings(data_dir=settings.data_dir, deliver=False, **more), clock))


def pages_of(client: TestClient) -> Iterator[tuple[str, str]]:
    """Yield each public page that has a number, with its text."""
    for path in PAGES:
        yield path, client.get(path, headers={"Accept": "text/html"}).text
    for number, danger in enumerate(("yes", "no", "not_sure")):
        for place, path in enumerate(("/raise-a-concern", "/worried-about-yourself", "/pl")):
            key = f"{KEY[:-2]}{number}{place}"
            fields = TOLD | {"immediate_danger": danger, "key": key}
            yield f"receipt {path} {danger}", client.post(path, data=fields).text
    receipt = raise_concern(client)
    proof = {"reference": receipt["reference"], "code": receipt["status_token"]}
    for prefix in ("", "/cy", "/ur"):
        yield f"status {prefix}", client.post(f"{prefix}/concerns", data=proof).text


def answers_of(client: TestClient) -> Iterator[tuple[str, Any]]:
    """Yield each answer of the API that has a number."""
    for path in ANSWERS:
        yield path, client.get(path).json()
    for danger in ("yes", "no", "not_sure"):
        told = a_concern(immediate_danger=danger)
        yield f"check {danger}", client.post("/v1/concerns/check", json=told).json()
        receipt = client.post("/v1/concerns", json=told).json()
        yield f"receipt {danger}", receipt
        yield f"addition {danger}", add(client, receipt, danger=danger).json()
        yield f"status {danger}", status_of(client, receipt)
    yield "refusal", client.post("/v1/concerns", json={}).json()
    call = {"name": "who_to_call", "arguments": {}}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    yield "assistant", client.post("/mcp", json=asked).json()["result"]["structuredContent"]


@pytest.mark.parametrize("when", TIMES)
def test_a_closed_team_is_called_closed_everywhere(settings: Settings, clock: SettableClock, when: str) -> None:
    at, opens = TIMES[when]
    clock.time = in_london(at)
    with a_client(settings, clock, **HOURS) as client:
        pages, answers = dict(pages_of(client)), dict(answers_of(client))

    cards = {name: " ".join(CARD.findall(page)) for name, page in pages.items()}
    assert [name for name, card in cards.items() if not card] == []
    assert [name for name, card in cards.items() if OTHER_TIMES in card] == []
    first = {name: answer["teams"][0] for name, answer in answers.items()}
    assert {name for name, team in first.items() if team["open_now"] is not (opens is None)} == set()
    if opens is None:
        assert "open now" in cards["/"]
        assert not [name for name, page in pages.items() if "Closed now" in page]
        return
    assert [name for name, page in pages.items() if SENDS_NOW.search(page)] == []
    of_adults = [page for name, page in pages.items() if "yourself" not in name]  # a child is to call Childline now
    assert not [page for page in of_adults if "Not sure? Call now" in page]
    english = [name for name in cards if not re.search(r"/(?:cy|[a-z]{2})\b", name)]
    assert [name for name in english if f"Closed now. Opens {opens}." not in cards[name]] == []
    assert [name for name in cards if 'href="tel:101"' not in cards[name]] == []
    assert [name for name, team in first.items() if team["opens_at"] is None] == []
    said = {name: " ".join(answer.get("next_steps", ())) for name, answer in answers.items()}
    assert [name for name, words in said.items() if SENDS_NOW.search(words)] == []
    for name in ("receipt yes", "check not_sure", "status yes", "addition yes"):
        assert f"when it opens, {opens}. It is closed now. Until then call 101; in danger, 999; under 18" in said[name]


@pytest.mark.parametrize("when", TIMES)
def test_a_night_team_is_sent_to_whenever_the_duty_team_is_closed(
    settings: Settings, clock: SettableClock, when: str
) -> None:
    at, opens = TIMES[when]
    clock.time = in_london(at)
    with a_client(settings, clock, **HOURS, out_of_hours_phone=NIGHT) as client:
        pages, answers = dict(pages_of(client)), dict(answers_of(client))

    name = DUTY if opens is None else "Out-of-hours team"
    assert {answer["teams"][0]["name"] for answer in answers.values()} == {name}
    assert {answer["teams"][0]["open_now"] for answer in answers.values()} == {True}
    assert [path for path, page in pages.items() if "Closed now" in page] == []
    assert f"Call the {name}" in pages["/"]


@pytest.mark.parametrize("when", TIMES)
def test_nothing_is_said_of_hours_that_nobody_gave(settings: Settings, clock: SettableClock, when: str) -> None:
    clock.time = in_london(TIMES[when][0])
    with a_client(settings, clock, council_name="Example Council") as client:
        pages, answers = dict(pages_of(client)), dict(answers_of(client))

    assert {team.get("open_now") for answer in answers.values() for team in answer["teams"]} == {None}
    assert [path for path, page in pages.items() if "Closed now" in page or "open now" in page] == []
    assert [path for path, answer in answers.items() if "closed now" in str(answer)] == []
    assert "Another number for the same team" in pages["/"]


DOCUMENTS = (f"/v1/guides/{SLUG}", f"/v1/guides/{SLUG}/editions/1")
KEPT = (
    *(f"{each}.md" for each in DOCUMENTS),
    *(f"{each}.pdf" for each in DOCUMENTS),
    f"{DOCUMENTS[0]}/large-print.pdf",
)
FEEDS = ("/v1/feed.json", "/v1/feed.atom", "/v1/reviews-due.json", "/v1/reviews-due.atom")
FOR_NOW = re.compile(r"(?i)call now|open now|closed now|closed at present|right now|today|tomorrow")


def words_of(client: TestClient, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200, path
    if path.endswith(".pdf"):
        return " ".join("\n".join(page.extract_text() for page in PdfReader(BytesIO(answer.content)).pages).split())
    return " ".join(answer.text.split())


@pytest.mark.parametrize(("night", "otherwise"), [(None, "101"), (NIGHT, NIGHT)])
def test_what_is_kept_has_the_hours_beside_the_number_and_whom_to_call_outside_them(
    settings: Settings, clock: SettableClock, night: str | None, otherwise: str
) -> None:
    """It says nothing of now, at whatever hour it was made."""
    made = {}
    for wall_time in ("2026-11-25 11:00", "2026-11-28 23:00"):
        clock.time = in_london(wall_time)
        with a_client(settings, clock, **HOURS, out_of_hours_phone=night) as client:
            kept = {path: words_of(client, path) for path in KEPT}
            services = client.get("/open-referral/v3/services").json()["contents"]
            service = next(each["id"] for each in services if each["name"] == DUTY)
            directory = client.get(f"/open-referral/v3/services/{service}").json()
            feeds = {path: words_of(client, path) for path in FEEDS}
        kept["directory"] = directory["description"]
        made[wall_time] = kept

    first, second = made.values()
    assert first == second
    assert [path for path, words in (first | feeds).items() if FOR_NOW.search(words)] == []
    for path, words in first.items():
        assert HOURS["duty_hours"] in words, path
        assert otherwise in words, path
        assert "999" in words, path
    assert [path for path, words in feeds.items() if "01225" in words or "01632" in words] == []
    assert [(each["byday"], each["closes_at"]) for each in directory["schedules"]] == [
        ("MO,TU,WE,TH", "17:00"),
        ("FR", "16:30"),
    ]


def test_a_team_that_never_closes_sends_nobody_elsewhere(settings: Settings, clock: SettableClock) -> None:
    with a_client(settings, clock, council_name="Example Council", duty_hours="24 hours a day") as client:
        page = words_of(client, KEPT[0])

    assert f"{DUTY}: call" in page
    assert "When it is closed" not in page


@pytest.mark.parametrize("path", ["/v1/signposts", "/v1/concerns/form", "/"])
def test_a_cached_answer_ends_when_the_team_closes(settings: Settings, clock: SettableClock, path: str) -> None:
    with a_client(settings, clock, **HOURS) as client:
        clock.time = in_london("2026-11-25 16:59") + dt.timedelta(seconds=30)
        before = client.get(path)
        clock.time = in_london("2026-11-25 17:00")
        after = client.get(path)

    assert before.headers["Cache-Control"] == "public, no-cache"
    assert before.text != after.text


def test_a_deadline_is_a_time_at_which_somebody_answers(settings: Settings, clock: SettableClock) -> None:
    clock.time = in_london("2026-12-02 04:45")
    with a_client(settings, clock, **HOURS) as client:
        receipt = raise_concern(client)
        add(client, receipt)
        proof = {"reference": receipt["reference"], "code": receipt["status_token"]}
        page, *others = [client.post(f"{language}/concerns", data=proof).text for language in ("", "/cy", "/pl", "/ur")]

    assert (receipt["acknowledge_by"], receipt["call_from"]) == ("2026-12-03T04:45:00Z", "2026-12-03T08:30:00Z")
    assert "by Thursday 3 December 2026 at 08:30. If nobody has by then, call the Duty" in str(receipt["next_steps"])
    assert "04:45" not in page.partition("Sent</dt>")[2].partition("</dd>")[2]
    assert page.count("A social worker should read it by") == 1
    assert page.count("A social worker should read what you added by") == 0, "the deadline stands once"
    for other in others:
        assert re.findall(r"\b3 [^<]{2,30}\b(\d\d:\d\d)", other) == ["08:30"]


def test_a_retry_at_another_hour_says_who_answers_then(settings: Settings, clock: SettableClock) -> None:
    headers, told = {"Idempotency-Key": KEY}, a_concern(immediate_danger="yes")
    clock.time = in_london("2026-11-25 16:00")
    with a_client(settings, clock, **HOURS) as client:
        first = client.post("/v1/concerns", json=told, headers=headers).json()
        clock.time = in_london("2026-11-25 19:00")
        again = client.post("/v1/concerns", json=told, headers=headers).json()

    assert {name for name in first if first[name] != again[name]} == {"teams", "next_steps"}
    assert "It is closed now" in str(again["next_steps"])
    assert "It is closed now" not in str(first["next_steps"])


def test_the_sample_council_has_a_team_at_every_hour(settings: Settings, context: AppContext) -> None:
    written = (ROOT / "deploy" / "sample-council" / "council.env").read_text().splitlines()
    given = dict(line.removeprefix("GUIDANCE_").split("=", 1) for line in written if line[:1] != "#")
    names = ("council_name", "duty_hours", "out_of_hours_phone")
    own = Settings.model_validate(
        {"data_dir": settings.data_dir} | {name: given[name.upper()].strip('"') for name in names}
    )

    taken = measure_unanswered(MeasurementContext(own, context.engine, context.clock()))

    assert isinstance(taken, Reading)
    assert taken.found == "a team answers at every hour of the week"
