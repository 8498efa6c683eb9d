"""Requests for the file of one person: one deadline, and two people before it is given."""

import datetime as dt

import pytest
from fastapi import FastAPI
from sqlmodel import Session, select
from starlette.testclient import TestClient

from app.config import Settings
from app.models.audit.details import FileStepDetails
from app.models.audit.rows import PERSON_FILES, DeskAct
from app.models.events.rows import EventKind, EventRow
from app.services.audit.audit_log import Actor, record_action
from app.services.clock.working_days import WorkingDays
from app.services.desk.file_requests import append_file_events, month_after
from app.services.events.emails import EmailNotice, build_email
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_concern
from tests.support.desk import acts_on, ask_for_file, send, text_of
from tests.support.people import JO, context_of_service, sign_in_as

SAM = "Sam Example"
LIST = "/desk/person-file"
DIGEST, ANOTHER = "a" * 64, "b" * 64
NEW = {"asker": "person", "about": "SAR 12: everything", "came_on": "2026-11-20"}


def made(service: FastAPI, client: TestClient, digest: str = DIGEST) -> str:
    """Make a file for a request as the person who is signed in, and return the path of the request's page."""
    page, reference = ask_for_file(service), str(raise_concern(client)["reference"])
    answer = send(client, f"{page}/record", reference=reference, file_sha256=digest)
    assert answer.status_code == 200, answer.text
    return page


def step(client: TestClient, page: str, act: str, digest: str = DIGEST) -> tuple[int, str]:
    answer = send(client, f"{page}/{act}", file_sha256=digest)
    return answer.status_code, text_of(answer)


def test_a_request_is_due_in_a_month_and_the_first_due_is_on_top(jo: TestClient) -> None:
    late = send(jo, LIST, **NEW | {"about": "SAR 11", "came_on": "2026-10-20"}, due="2026-11-23")
    usual = send(jo, LIST, **NEW)

    listed = text_of(jo.get(LIST))

    assert (late.status_code, usual.headers["location"]) == (303, f"{LIST}/2")
    assert "Due by 21 December 2026" in text_of(jo.get(f"{LIST}/2"))
    assert listed.index("23 November 2026: late") < listed.index("21 December 2026")
    assert "Make the file" in listed


@pytest.mark.parametrize(
    ("came", "due"),
    [
        ("2026-11-03", "2026-12-03"),
        ("2026-11-20", "2026-12-21"),  # the 20th is a Sunday
        ("2026-11-25", "2026-12-29"),  # Christmas, a weekend, and a bank holiday in lieu
        ("2027-01-31", "2027-03-01"),  # the last day of February is a Sunday
        ("2028-01-31", "2028-02-29"),
    ],
)
def test_a_month_ends_on_a_working_day(came: str, due: str) -> None:
    assert str(month_after(dt.date.fromisoformat(came), WorkingDays())) == due


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"asker": ""}, "Who asks"),
        ({"about": " "}, "What about"),
        ({"came_on": "2026-11-25"}, "This day has not come yet."),
        ({"due": "2026-11-19"}, "It cannot be due before it came."),
        ({"came_on": "20 November"}, "Day on which it came"),
    ],
)
def test_a_request_that_cannot_be_right_is_shown_again(
    service: FastAPI, jo: TestClient, changes: dict[str, str], fault: str
) -> None:
    answer = send(jo, LIST, **NEW | {"about": "Typed before"} | changes)

    assert answer.status_code == 422
    assert "There is a problem" in answer.text
    assert fault in text_of(answer)
    assert "about" in changes or "Typed before" in answer.text
    assert acts_on(service, PERSON_FILES) == []


def test_the_same_form_sent_twice_is_one_request(service: FastAPI, jo: TestClient) -> None:
    assert {send(jo, LIST, **NEW).headers["location"] for _ in "ab"} == {f"{LIST}/1"}
    assert [act for act, *_ in acts_on(service, PERSON_FILES)] == [DeskAct.FILE_REQUESTED]


@pytest.mark.slow
def test_one_makes_it_another_looks_at_it_and_who_looked_does_not_give_it(service: FastAPI, jo: TestClient) -> None:
    page = made(service, jo)

    too_early = step(jo, page, "given")
    own = step(jo, page, "checked")
    sign_in_as(service, jo, SAM)
    another_file = step(jo, page, "checked", ANOTHER)
    looked = step(jo, page, "checked")
    by_the_same = step(jo, page, "given")
    sign_in_as(service, jo, JO)
    given = step(jo, page, "given")
    afterwards = step(jo, page, "given")

    assert [each[0] for each in (too_early, own, another_file, by_the_same, afterwards)] == [422] * 5
    assert "A second person must look at this file first." in too_early[1]
    assert "You made this file: a second person must look at it." in own[1]
    assert "This is not the file that was made last for this request." in another_file[1]
    assert "You looked at this file: someone else must give it." in by_the_same[1]
    assert "This request has ended." in afterwards[1]
    assert (looked[0], given[0]) == (303, 303)
    assert [(act, who.partition("/")[2]) for act, who, _ in acts_on(service, PERSON_FILES)] == [
        (DeskAct.FILE_REQUESTED, "Robin Example"),
        (DeskAct.FILE_MADE, JO),
        (DeskAct.FILE_CHECKED, SAM),
        (DeskAct.FILE_GIVEN, JO),
    ]
    assert "No request is open." in text_of(jo.get(LIST))
    assert list(find_faults(service.state.context.engine)) == []


@pytest.mark.slow
def test_a_file_that_is_made_again_is_looked_at_again(service: FastAPI, jo: TestClient) -> None:
    page = made(service, jo)
    sign_in_as(service, jo, SAM)
    assert step(jo, page, "checked")[0] == 303
    sign_in_as(service, jo, JO)

    assert made(service, jo, ANOTHER) == page

    assert "A second person must look at this file first." in step(jo, page, "given", ANOTHER)[1]


def test_a_request_ends_without_a_file_only_with_a_reason(service: FastAPI, jo: TestClient) -> None:
    page = ask_for_file(service)

    without = send(jo, f"{page}/refused", reason=" ")
    ended = send(jo, f"{page}/refused", reason="Nothing is held.")

    assert (without.status_code, ended.status_code) == (422, 303)
    assert ", without a file" in text_of(jo.get(page))
    assert "Make the file" not in jo.get(page).text


def test_an_unknown_request_is_not_found(jo: TestClient) -> None:
    found = [jo.get(f"{LIST}/9"), jo.get(f"{LIST}/01"), send(jo, f"{LIST}/9/given", file_sha256=DIGEST)]
    found += [send(jo, f"{LIST}/9/burnt", file_sha256=DIGEST)]

    assert {each.status_code for each in found} <= {404, 422}


def test_verify_names_a_file_that_its_maker_looked_at(service: FastAPI, client: TestClient) -> None:
    assert client.get("/health/ready").is_success
    page = ask_for_file(service)
    context, jo_alone = context_of_service(service), Actor(f"passkey:desk/{JO}", "192.0.2.1", A_TUESDAY)
    for act in (DeskAct.FILE_MADE, DeskAct.FILE_CHECKED):
        context.writer.run(
            record_action, PERSON_FILES, act, jo_alone, FileStepDetails(request=int(page[-1]), file_sha256=DIGEST)
        )

    assert list(find_faults(context.engine)) == [
        ("requests for a file", "request 1, entry 3: You made this file: a second person must look at it.")
    ]


def test_what_is_due_within_a_week_is_told_once_a_day_from_eight(
    service: FastAPI, client: TestClient, settings: Settings
) -> None:
    assert client.get("/health/ready").is_success
    context, today = context_of_service(service), A_TUESDAY.date()
    ask_for_file(service, due=today + dt.timedelta(days=7))
    ask_for_file(service, "court", due=today + dt.timedelta(days=8))

    def told(days: int, hour: int) -> list[int]:
        at = dt.datetime.combine(today + dt.timedelta(days=days), dt.time(hour), dt.UTC)
        context.writer.run(append_file_events, now=at)
        with Session(context.engine) as session:
            events = session.exec(select(EventRow).where(EventRow.kind == EventKind.PERSON_FILE_DUE.value)).all()
        return [each.data["request"] for each in events]

    assert [told(*when) for when in ((0, 7), (0, 9), (0, 17), (1, 9))] == [[], [1], [1], [1, 1, 2]]
    email = build_email(EmailNotice((1,), {EventKind.PERSON_FILE_DUE.value: 2}, 0, 1), settings, at=A_TUESDAY)
    assert email["Subject"].startswith("A file of one person is due")
    assert "2 requests for the file of one person are due within a week, or overdue." in email.get_content()
    assert "SAR" not in email.as_string()
