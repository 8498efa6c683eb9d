"""The way of a draft from one person to another: comments, sending back, agreeing, planning, and a link to look."""

import datetime as dt
import io
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from fastapi import FastAPI
from pypdf import PdfReader
from sqlmodel import Session
from starlette.testclient import TestClient

from app.extensions.editing.jobs import jobs
from app.extensions.editing.services import draft_links, draft_review
from app.extensions.editing.services.draft_review import publish_due_draft
from app.extensions.editing.services.drafts import find_guide_draft
from app.extensions.editing.tables import GuideDraftRow
from app.extensions.editing.verification import find_changed_drafts
from app.models.access.roles import Role
from app.services.events.emails import EDITORS, claim_email
from tests.extensions.editing.test_edit_pages import Editor, editor
from tests.support.clock import SettableClock
from tests.support.drafts import SEED_GUIDE
from tests.support.people import context_of_service
from tests.support.publishing import publish_next

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

A_QUARTER = dt.timedelta(minutes=16)
OLD, NEW = "396312", "396314"
AGREED = {"agreed": "yes", "follows": "1"}
PAGE = f"/{SEED_GUIDE}"


@pytest.fixture
def ann(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, "Ann Example", Role.PUBLISHER)


@pytest.fixture
def ben(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, "Ben Example", Role.PUBLISHER)


@pytest.fixture
def cara(service: FastAPI, client: TestClient) -> Editor:
    return editor(service, client, "Cara Example")


def act(person: Editor, name: str, **fields: Any) -> Any:
    return person.post(f"{PAGE}/{name}", {"version": person.version(SEED_GUIDE)} | fields)


def correct_number(person: Editor) -> None:
    person.post(f"{PAGE}/begin")
    fields = person.open(SEED_GUIDE, "contacts")
    changed = {name: value.replace(OLD, NEW) if isinstance(value, str) else value for name, value in fields.items()}
    assert person.save(SEED_GUIDE, "contacts", changed).status_code == 303


def offered(person: Editor) -> None:
    """Correct a number, and submit the draft with the change note that the page proposes."""
    correct_number(person)
    note = re.search(r'<textarea name="note"[^>]*>\n(.*?)</textarea>', person.get(PAGE).text, re.DOTALL)
    assert note is not None
    act(person, "offer", note=unescape(note[1]))


def draft_of(service: FastAPI) -> GuideDraftRow | None:
    with Session(context_of_service(service).engine) as session:
        assert [*find_changed_drafts(session)] == []
        return find_guide_draft(session, SEED_GUIDE)


def waiting_for(person: Editor) -> int:
    found = re.search(r'class="tag count">(\d+)', person.get().text)
    return int(found[1]) if found else 0


def test_a_corrected_number_is_offered_in_words_and_published(ann: Editor, ben: Editor, client: TestClient) -> None:
    offered(ann)
    page = " ".join(ben.get(PAGE).text.split())

    published = act(ben, "publication", **AGREED)

    assert re.search(r"<strong>Duty and Assessment Team:</strong>.*01225 396312.* is now .*01225 396314", page)
    assert published.status_code == 200
    current = client.get(f"/v1/guides/{SEED_GUIDE}").json()
    assert current["change_note"].startswith("Duty and Assessment Team: 01225 396312")
    assert " is now 01225 396314" in current["change_note"]


def test_who_corrects_a_draft_leaves_publishing_to_the_first(ann: Editor, ben: Editor, service: FastAPI) -> None:
    offered(ann)
    fields = ben.open(SEED_GUIDE, "details")
    ben.save(SEED_GUIDE, "details", fields | {"change_note": "A number, corrected."})

    for person in (ann, ben):  # Ben has not agreed to the whole text yet
        assert act(person, "publication", **AGREED).status_code == 403
    act(ben, "offer")
    assert act(ben, "publication", **AGREED).status_code == 403
    assert "Ben Example has read your text" in ann.get(PAGE).text
    assert act(ann, "publication", **AGREED).status_code == 200
    assert draft_of(service) is None


def test_a_later_word_of_the_first_person_ends_the_agreement(ann: Editor, ben: Editor) -> None:
    offered(ann)
    for person in (ben, ann):
        fields = person.open(SEED_GUIDE, "details")
        person.save(SEED_GUIDE, "details", fields | {"change_note": f"Words of {person}"})
    act(ben, "offer")

    assert act(ann, "publication", **AGREED).status_code == 403


def test_a_draft_sent_back_shows_its_reason_until_it_is_offered_again(ann: Editor, ben: Editor) -> None:
    offered(ann)
    assert (waiting_for(ann), waiting_for(ben)) == (0, 1)

    act(ben, "return", reason="")
    assert waiting_for(ben) == 1
    act(ben, "return", reason="Call the number first.")

    assert "Call the number first." in ann.get(PAGE).text
    assert (waiting_for(ann), waiting_for(ben)) == (1, 0)
    act(ann, "offer")
    assert "Call the number first." not in ann.get(PAGE).text


def test_a_comment_stands_beside_its_item_until_it_is_done(ann: Editor, ben: Editor, service: FastAPI) -> None:
    correct_number(ann)
    version = ann.version(SEED_GUIDE)
    ben.post(f"{PAGE}/comments", {"about": "contacts/duty-and-assessment-team", "text": "<b>Who checked it?</b>"})
    ben.post(f"{PAGE}/comments", {"about": "contacts/none-such", "text": "About all of it"})

    page, section = ann.get(PAGE).text, ann.get(f"{PAGE}/sections/contacts").text
    assert "&lt;b&gt;Who checked it?" in page
    assert "About all of it" in page
    assert 'href="#contacts.0">Ben Example' in section
    assert ann.version(SEED_GUIDE) == version
    number = re.findall(r'name="number" value="(\d+)"', page)[0]
    ann.post(f"{PAGE}/comments/done", {"number": number})
    assert ann.post(f"{PAGE}/comments/done", {"number": number}).status_code == 404
    assert "Who checked it?" not in ann.get(PAGE).text + ann.get(f"{PAGE}/sections/contacts").text
    assert draft_of(service) is not None


def test_a_full_draft_says_so_and_takes_more_once_one_is_done(ann: Editor, monkeypatch: pytest.MonkeyPatch) -> None:
    correct_number(ann)
    monkeypatch.setattr(draft_review, "MAX_COMMENTS", 1)
    monkeypatch.setattr(draft_links, "MAX_LINKS", 1)
    ann.save(SEED_GUIDE, "details", ann.open(SEED_GUIDE, "details") | {"change_note": "A number."})
    linked(ann)
    for path, fields, end, said in (
        ("comments", {"text": "Words"}, "comments/done", "1 open comments, and can have no more"),
        ("links", {"days": "7"}, "links/end", "1 links, and can have no more"),
    ):
        ann.post(f"{PAGE}/{path}", fields)
        refused = ann.post(f"{PAGE}/{path}", fields)
        assert refused.headers["location"] == f"/edit{PAGE}#{path}"
        page = ann.get(PAGE).text
        assert said in page
        (number,) = re.findall(rf'/{end}"><input type="hidden" name="number" value="(\d+)"', page)
        ann.post(f"{PAGE}/{end}", {"number": number})
        assert said not in ann.get(PAGE).text


def test_an_autosave_says_what_the_section_changes(ann: Editor) -> None:
    ann.post(f"{PAGE}/begin")
    fields = ann.open(SEED_GUIDE, "factors")

    saved = ann.post(f"{PAGE}/sections/factors", fields | {"factors.0.text": "Quite other words", "act": "autosave"})

    (change,) = saved.json()["changes"]
    assert {"change": "added", "text": "Quite other words"} in change["runs"]


def test_editors_get_one_email_without_a_word_of_the_draft(ann: Editor, ben: Editor, service: FastAPI) -> None:
    context = context_of_service(service)
    context.writer.run(claim_email, EDITORS, now=context.clock())
    offered(ann)
    act(ben, "return", reason="A reason")

    notice = context.writer.run(claim_email, EDITORS, now=context.clock())

    assert notice is not None
    assert notice.counts == {"draft.offered": 1, "draft.returned": 1}
    assert context.writer.run(claim_email, now=context.clock()) is None, "the duty team gets none"


@pytest.fixture
def publish_planned(service: FastAPI) -> Callable[[], Any]:
    """A look of the job that publishes at a time, as a node does it."""
    context = context_of_service(service)
    (job,) = jobs(context)
    return lambda: job.do(lambda: None)


def plan(person: Editor, **fields: str) -> Any:
    return act(person, "plan", **({"follows": "1", "day": "2026-11-24", "time": "09:45"} | fields))


def test_an_edition_is_published_at_its_time_by_one_of_two_nodes(
    ann: Editor, ben: Editor, service: FastAPI, clock: SettableClock, publish_planned: Callable[[], Any]
) -> None:
    offered(ann)
    assert plan(ann).status_code == 403, "whoever wrote it does not agree to it"
    plan(ben)
    assert "Tuesday 24 November 2026 at 09:45 (Greenwich Mean Time)" in ann.get(PAGE).text
    assert (waiting_for(ann), waiting_for(ben)) == (0, 0)

    context = context_of_service(service)
    due = (context.reference_data, SEED_GUIDE, "")
    publish_planned()
    assert context.writer.run(publish_due_draft, *due, now=clock.time, two_people=True) is None, "not before its time"
    assert draft_of(service) is not None
    clock.time = dt.datetime(2026, 11, 24, 9, 45, 3, tzinfo=dt.UTC)
    nodes = [context.writer.run(publish_due_draft, *due, now=clock.time, two_people=True) for _ in range(2)]

    assert [each is not None for each in nodes] == [True, False]
    assert draft_of(service) is None
    assert "by Ben Example. Written by Ann Example" in " ".join(ann.get(f"{PAGE}/history").text.split())


def test_a_planned_publication_is_moved_cancelled_or_ended_by_a_change(
    ann: Editor, ben: Editor, clock: SettableClock, publish_planned: Callable[[], Any], service: FastAPI
) -> None:
    offered(ann)
    plan(ben)
    plan(ben, day="24th Nov 2026", time="09:50")
    assert "at 09:50 (Greenwich" in ann.get(PAGE).text
    act(ann, "plan/end")
    assert "Waiting for a second person" in ann.get(PAGE).text
    plan(ben)
    ann.save(SEED_GUIDE, "details", ann.open(SEED_GUIDE, "details") | {"change_note": "Other words"})

    clock.time += A_QUARTER
    publish_planned()

    assert draft_of(service) is not None


def test_a_plan_that_another_edition_overtakes_is_sent_back(
    ann: Editor, ben: Editor, clock: SettableClock, publish_planned: Callable[[], Any], service: FastAPI
) -> None:
    offered(ann)
    plan(ben)
    publish_next(service, change_note="By another way")

    clock.time += A_QUARTER
    publish_planned()

    assert "another edition was published before" in ann.get(PAGE).text
    assert not publish_planned()


@pytest.mark.parametrize(
    ("day", "time", "words"),
    [
        ("2027-03-28", "01:30", "This time does not exist"),
        ("2027-10-31", "01:30", "This time comes twice"),
        ("2026-11-23", "12:00", "This time has passed"),
        ("24 November 2028", "12:00", "within the next year"),
        ("31/3", "noon", "Enter a day and a time"),
    ],
)
def test_a_time_that_cannot_be_used_is_refused_in_words(
    ann: Editor, ben: Editor, day: str, time: str, words: str
) -> None:
    offered(ann)

    refused = plan(ben, day=day, time=time)

    page = ben.get(refused.headers["location"].removeprefix("/edit")).text
    assert words in page
    assert f'name="day" id="plan-day" value="{day}"' in page


@pytest.mark.parametrize(("which", "name"), [("first", "British Summer"), ("second", "Greenwich Mean")])
def test_of_a_time_that_comes_twice_one_is_chosen(ann: Editor, ben: Editor, which: str, name: str) -> None:
    offered(ann)

    plan(ben, day="2027-10-31", time="01:30", which=which)

    assert f"Sunday 31 October 2027 at 01:30 ({name} Time)" in ben.get(PAGE).text


def linked(person: Editor, days: str = "7") -> str:
    page = person.post(f"{PAGE}/links", {"days": days}).text
    found = re.search(r'id="link" value="[^"#]*#([^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_link_shows_the_draft_to_someone_without_an_account(cara: Editor, client: TestClient) -> None:
    correct_number(cara)
    cara.save(SEED_GUIDE, "details", cara.open(SEED_GUIDE, "details") | {"change_note": "A number."})
    token = linked(cara)

    page = client.post("/draft-preview", data={"token": f"https://guidance.example/draft-preview#{token}"})
    poster = client.post("/draft-preview", data={"token": token, "form": "poster"})

    assert "DRAFT. Not published" in page.text
    assert "01225 396314" in page.text
    assert '<meta name="robots" content="noindex">' in page.text
    assert (page.headers["x-robots-tag"], page.headers["cache-control"]) == ("noindex", "no-store")
    assert client.get("/draft-preview").headers["x-robots-tag"] == "noindex"
    assert token not in cara.get(PAGE).text, "the link is shown once"
    assert "DRAFT:" in PdfReader(io.BytesIO(poster.content)).pages[0].extract_text()
    assert poster.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("end", ["by itself", "ended", "deleted", "wrong"])
def test_an_ended_or_wrong_link_shows_no_draft(
    cara: Editor, client: TestClient, clock: SettableClock, service: FastAPI, end: str
) -> None:
    correct_number(cara)
    cara.save(SEED_GUIDE, "details", cara.open(SEED_GUIDE, "details") | {"change_note": "A number."})
    token = linked(cara, "1")
    if end == "by itself":
        clock.time += dt.timedelta(days=1)
    elif end == "ended":
        (number,) = re.findall(r'name="number" value="(\d+)"', cara.get(PAGE).text)
        cara.post(f"{PAGE}/links/end", {"number": number})
    elif end == "deleted":
        act(cara, "removal", agreed="yes")
    else:
        token = token[:-1]

    page = client.post("/draft-preview", data={"token": token})

    assert page.status_code == 404
    assert "This link no longer works" in page.text
    draft_of(service)


def test_no_log_has_the_token_of_a_link(
    cara: Editor, client: TestClient, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    correct_number(cara)
    token = linked(cara)

    client.post("/draft-preview", data={"token": token})

    said = capfd.readouterr()
    assert token not in said.out + said.err + caplog.text
