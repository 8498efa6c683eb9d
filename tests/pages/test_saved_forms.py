"""A form that is finished later: sealed under a code that the service does not have, gone when sent, or in a day."""

import datetime as dt
import logging
import re
import sqlite3
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlalchemy import func
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import StoreBusy
from app.http import health
from app.http.context import AppContext
from app.main import create_app
from app.models.concerns.saved_forms import SavedFormRow
from app.models.concerns.status_tokens import CROCKFORD
from app.services.concerns import saved_forms
from tests.support.clock import SettableClock
from tests.support.databases import on_postgresql
from tests.support.desk import desk_of
from tests.support.form_answers import FORM, NARRATIVE, REQUIRED_ANSWERS, reference_in
from tests.support.loops import first_by_day, for_each
from tests.support.service import a_service

pytestmark = pytest.mark.slow

CANARY = "kanarienvogel"
ANSWERS = REQUIRED_ANSWERS | {
    "concern.narrative": f"{NARRATIVE} {CANARY}",
    "count:children": "2",
    "children.0.given_names": "Alex",
    "children.1.date_of_birth:year": "20x",
    "reporter.name": "Robin Example",
}
DAY, MINUTE = dt.timedelta(hours=24), dt.timedelta(minutes=1)


def save(client: TestClient, **changes: str) -> str:
    """Save a form, and return its code."""
    page = client.post(FORM, data=ANSWERS | {"do": "save"} | changes)
    assert page.status_code == 201, page.text
    return str(re.findall(r'class="code-words">([^<]*)<', page.text)[0])


def opening_in(form: str) -> str:
    """Return the mark of the opening that the form has."""
    return str(re.findall(r'name="opening" value="([^"]*)"', form)[0])


def resume(client: TestClient, code: str, page: str = "one") -> tuple[int, str]:
    response = client.post("/concerns/saved", data={"code": code, "page": page})
    return response.status_code, response.text


def test_a_saved_form_is_opened_with_every_answer_and_sent(client: TestClient, service: FastAPI) -> None:
    code = save(client)

    status, form = resume(client, f" {code.lower().replace('-', ' ')} ")

    assert status == 200
    for answer in (f"{NARRATIVE} {CANARY}", 'value="Alex"', 'value="20x"', 'value="Robin Example"', "Child 2"):
        assert answer in form
    assert f'name="key" value="{ANSWERS["key"]}"' in form
    assert f'action="{FORM}"' in form
    sent = client.post(FORM, data=REQUIRED_ANSWERS | {"do": "send"})
    assert desk_of(service, client).get(f"/concerns/{reference_in(sent.text)}").status_code == 200


def test_every_opening_of_a_saved_form_shows_its_text(client: TestClient) -> None:
    code = save(client)

    for page in ("one", "one", "another"):  # an answer that was lost on its way, and a telephone that closed the page
        status, form = resume(client, code, page)
        assert status == 200
        assert CANARY in form


def test_a_saved_form_is_gone_after_a_day_however_often_opened(client: TestClient, clock: SettableClock) -> None:
    opened, left = save(client), save(client)
    clock.time = clock() + DAY - MINUTE
    assert resume(client, opened)[0] == 200

    clock.time = clock() + MINUTE

    assert resume(client, opened)[0] == 404
    assert resume(client, left)[0] == 404


@for_each("first", ["send", "check"])
def test_a_saved_form_ends_when_sent_and_its_page_says_so(client: TestClient, first: str) -> None:
    code = save(client)
    form = resume(client, code)[1]
    answers = REQUIRED_ANSWERS | {"opening": opening_in(form)}
    if first == "check":
        answers["opening"] = opening_in(client.post(FORM, data=answers | {"do": "check"}).text)
    refused = client.post(FORM, data=answers | {"reporter.kind": "", "do": "send"})
    assert refused.status_code == 422
    assert resume(client, code)[0] == 200  # nothing was sent

    assert client.post(FORM, data=answers | {"do": "send"}).status_code == 201

    status, page = resume(client, code)
    assert status == 404
    assert "You may have sent the form or saved it again" in page
    assert client.post(FORM, data=answers | {"do": "send"}).status_code == 201  # pressed twice


def test_the_next_save_replaces_a_form_and_takes_no_second_place(service: FastAPI) -> None:
    with TestClient(service, client=("192.0.2.7", 50_000)) as one:
        code, *_ = [save(one) for _ in range(saved_forms.SHARE)]
        form = resume(one, code)[1]

        newer = save(one, opening=opening_in(form))

        assert resume(one, code)[0] == 404
        assert resume(one, newer)[0] == 200
        assert one.post(FORM, data=ANSWERS | {"do": "save"}).status_code == 429


def test_of_two_tabs_the_newer_has_it_and_the_older_loses_nothing(client: TestClient) -> None:
    code = save(client)
    older, newer = opening_in(resume(client, code, "older")[1]), opening_in(resume(client, code, "newer")[1])

    save(client, opening=older)

    assert resume(client, code, "newer")[0] == 200
    assert client.post(FORM, data=REQUIRED_ANSWERS | {"do": "send", "opening": older}).status_code == 201
    assert resume(client, code)[0] == 404
    again = client.post(FORM, data=REQUIRED_ANSWERS | {"concern.narrative": "More.", "do": "send", "opening": newer})
    assert again.status_code == 422
    assert "You have already sent this form with different answers" in again.text


@for_each("opening", ["", ".", "00.00", "ab" * 32, f"{'ab' * 32}.{'cd' * 32}", f"{'zz' * 32}.{'cd' * 32}", "é" * 5000])
def test_a_made_up_opening_ends_nothing_and_stops_nothing(client: TestClient, opening: str) -> None:
    code = save(client)

    sent = client.post(FORM, data=REQUIRED_ANSWERS | {"key": "", "do": "send", "opening": opening})

    assert sent.status_code == 201
    save(client, opening=opening)
    assert resume(client, code)[0] == 200


def test_the_receipt_comes_even_if_the_saved_form_cannot_be_ended(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = opening_in(resume(client, save(client))[1])

    def busy(*_args: object, **_at: object) -> None:
        raise StoreBusy

    monkeypatch.setattr(saved_forms.SavedForms, "end", busy)

    assert client.post(FORM, data=REQUIRED_ANSWERS | {"do": "send", "opening": opening}).status_code == 201


def test_the_worker_erases_only_expired_forms(client: TestClient, service: FastAPI, clock: SettableClock) -> None:
    context: AppContext = service.state.context
    first = save(client)
    clock.time = clock() + DAY - MINUTE
    second = save(client)
    context.saved_forms.erase_expired(at=clock())
    assert context.saved_forms.erase_expired(at=clock()) == 0

    clock.time = clock() + MINUTE

    assert context.saved_forms.erase_expired(at=clock()) == 1
    assert resume(client, first)[0] == 404
    assert resume(client, second)[0] == 200


def test_no_typed_word_or_code_is_readable_in_database_or_log(
    client: TestClient, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    code = save(client)
    plain = code.replace("-", "")
    resume(client, code)

    words = [CANARY, code, plain, "Robin Example"]
    assert not [word for word in words if word.lower() in caplog.text.lower()]
    if not on_postgresql():
        files = b"".join(path.read_bytes() for path in Path(settings.data_dir).iterdir() if path.is_file())
        assert b"saved_forms" in files
        assert not [word for word in words if word.encode().lower() in files.lower()]
        with sqlite3.connect(settings.data_dir / "guidance.db") as database:
            (length,) = database.execute("SELECT length(sealed) FROM saved_forms").fetchone()
        assert (
            length % saved_forms.BLOCK == 12 + 16
        )  # the nonce and the tag: its length says little of what was written


def test_a_young_persons_answers_are_never_saved_and_none_is_lost(client: TestClient, service: FastAPI) -> None:
    own = client.get("/worried-about-yourself").text
    refused = client.post(FORM, data=ANSWERS | {"reporter.kind": "child", "do": "save"})
    by_hand = client.post("/worried-about-yourself", data=ANSWERS | {"do": "save"})

    assert "Save and finish later" not in own
    assert "Save and finish later" in client.get(FORM).text
    assert refused.status_code == 422
    assert "We do not save this for a young person" in refused.text
    for page in (refused, by_hand):
        assert CANARY in page.text
        assert "code-words" not in page.text
    context: AppContext = service.state.context
    assert context.saved_forms.erase_expired(at=context.clock() + DAY) == 0


def test_wrong_codes_are_limited_and_the_right_one_opens_the_draft(tmp_path: Path) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data", limit_code_tries="3/minute")) as client:
        code = save(client)
        others = [save(client), save(client)]
        wrong = code[:-1] + CROCKFORD[(CROCKFORD.index(code[-1]) + 1) % 32]

        tries = [resume(client, wrong)[0] for _ in range(4)]

        assert tries == [404, 404, 404, 429]
        assert resume(client, code)[0] == 200
        assert [resume(client, each)[0] for each in others if each[:4] != code[:4]] != [429]


def test_one_address_has_its_share_and_no_other_is_stopped_by_it(service: FastAPI) -> None:
    with TestClient(service, client=("192.0.2.7", 50_000)) as one:
        other = TestClient(service, client=("198.51.100.9", 50_000))
        codes = [save(one) for _ in range(saved_forms.SHARE)]

        refused = one.post(FORM, data=ANSWERS | {"do": "save"})

        assert refused.status_code == 429
        assert CANARY in refused.text
        assert "Nothing is lost" in refused.text
        assert "seconds" not in refused.text.partition("Nothing is lost")[2][:200]
        assert save(other)
        assert resume(one, codes[0])[0] == 200  # a right code is never refused
        assert one.post(FORM, data=ANSWERS | {"do": "save"}).status_code == 429
        form = resume(one, codes[0])[1]
        ended = REQUIRED_ANSWERS | {"do": "send", "opening": opening_in(form)}
        assert one.post(FORM, data=ended).status_code == 201  # what was saved ends with it, and its place is free
        assert save(one)
        assert one.post(FORM, data=ANSWERS | {"do": "save"}).status_code == 429
        sent = one.post(FORM, data=REQUIRED_ANSWERS | {"do": "send"})
        assert sent.status_code == 201
        with Session(service.state.context.engine) as session:
            sources = set(session.exec(select(SavedFormRow.source)))
        assert len(sources) == 2
        assert not any("192.0.2.7" in source or "198.51" in source for source in sources)


LINES = {
    # who saves, one after the other: how many of their forms of 100 kB are taken
    "one address of IPv4": (["192.0.2.7"] * 25, 18),
    "one network of a line": (["2001:db8:1:2::1"] * 25, 18),
    "a line at home": ([f"2001:db8:1:{n:x}::1" for n in range(70)], 57),
    "neighbours": ([f"2001:db8:{n:x}::1" for n in range(25)], 25),
}


@pytest.mark.parametrize("who", first_by_day(list(LINES)))
def test_the_saved_forms_of_one_line_have_a_bound_in_bytes(service: FastAPI, who: str) -> None:
    hosts, taken = LINES[who]
    long = ANSWERS | {"do": "save", "concern.narrative": "x" * 50_000, "children.0.given_names": "y" * 55_000}
    with TestClient(service):
        answers = [TestClient(service, client=(host, 50_000)).post(FORM, data=long) for host in hosts]

    assert Counter(answer.status_code for answer in answers) == Counter({201: taken, 429: len(hosts) - taken})
    assert all("Nothing is lost" in answer.text for answer in answers if answer.status_code == 429)


def test_readiness_warns_before_saved_forms_have_used_their_space(
    client: TestClient, service: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(client)
    with Session(service.state.context.engine) as session:
        (size,) = session.exec(select(func.length(SavedFormRow.sealed))).all()
    before = client.get("/health/ready").json()["warnings"]
    monkeypatch.setattr(health, "MAX_BYTES", size / saved_forms.NEARLY_FULL)

    ready = client.get("/health/ready")

    assert "saved-forms" not in before
    assert (ready.status_code, ready.json()["warnings"]["saved-forms"]) == (200, "nearly full")


def test_a_wrong_code_of_a_saved_form_never_waits_for_the_writer(client: TestClient, service: FastAPI) -> None:
    context: AppContext = service.state.context
    code = save(client)
    context.writer.stop()

    assert resume(client, code[:-1] + ("0" if code[-1] != "0" else "1"))[0] == 404


def test_the_share_holds_if_many_save_at_once(service: FastAPI) -> None:
    with TestClient(service, client=("192.0.2.7", 50_000)) as one, ThreadPoolExecutor(8) as pool:
        saving = [pool.submit(one.post, FORM, data=ANSWERS | {"do": "save"}) for _ in range(saved_forms.SHARE + 12)]

        statuses = sorted(each.result().status_code for each in saving)

    assert statuses == [201] * saved_forms.SHARE + [429] * 12


def test_all_saved_forms_share_a_byte_limit_and_refusal_loses_nothing(
    client: TestClient, service: FastAPI, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(client)
    with Session(service.state.context.engine) as session:
        (size,) = session.exec(select(func.length(SavedFormRow.sealed))).all()
    monkeypatch.setattr(saved_forms, "MAX_BYTES", 2 * size)
    save(client)

    refused = client.post(FORM, data=ANSWERS | {"do": "save"})

    assert refused.status_code == 503
    assert CANARY in refused.text
    assert "Nothing is lost" in refused.text
    assert "seconds" not in refused.text.partition("Nothing is lost")[2][:200]
    clock.time += DAY
    service.state.context.saved_forms.erase_expired(at=clock())
    save(client)


def test_the_metrics_count_saved_forms_and_bytes_but_hide_a_few(client: TestClient) -> None:
    for _ in range(4):
        save(client)
    assert "guidance_saved_forms 4" not in client.get("/metrics").text

    save(client)

    told = client.get("/metrics").text
    assert "guidance_saved_forms 5.0" in told
    assert float(told.partition("\nguidance_saved_forms_bytes ")[2].partition("\n")[0]) >= 5 * saved_forms.BLOCK


@for_each("code", ["", "0000-0000-0000-0000", "é" * 16, "x" * 5000])
def test_any_other_code_opens_nothing(client: TestClient, code: str) -> None:
    assert resume(client, code)[0] == 404


def test_a_draft_outlives_a_restart_before_and_after_it_was_opened(settings: Settings, clock: SettableClock) -> None:
    with TestClient(create_app(settings, clock)) as client:
        code = save(client)
    for page in ("before", "after"):
        with TestClient(create_app(settings, clock)) as client:
            form = resume(client, code, page)[1]
            assert CANARY in form
    with TestClient(create_app(settings, clock)) as client:
        sent = client.post(FORM, data=REQUIRED_ANSWERS | {"do": "send", "opening": opening_in(form)})
        assert sent.status_code == 201
        assert resume(client, code)[0] == 404
