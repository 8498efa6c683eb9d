"""The history on the page of a concern: one line for the openings of a visit, and codes in words."""

import datetime as dt

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.models.audit.rows import AuditEntryRow, DeskAct
from app.pages.audit.entry_words import VISIT_GAP, act_lines, fold_openings, words_of_act
from app.pages.audit.log_lines import lines_of_log
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.concerns import raise_concern
from tests.support.desk import acts_on, press, text_of
from tests.support.people import sign_in_as

A_MINUTE = dt.timedelta(minutes=1)


def entry(
    act: DeskAct, minutes: int, client: str = "passkey:desk/Jo Worker", detail: str = '{"what":"history"}'
) -> AuditEntryRow:
    """Return an entry of the audit log, so many minutes after 09:30."""
    at = A_TUESDAY + minutes * A_MINUTE
    return AuditEntryRow(
        chain="R",
        number=minutes,
        at=at,
        client=client,
        act=act.value,
        address="",
        detail=detail,
        previous_sha256="",
        sha256="",
        position=1,
    )


def test_the_openings_of_one_visit_are_one_line_and_other_acts_stay() -> None:
    opened, noted, sam = DeskAct.OPENED, DeskAct.NOTED, "passkey:desk/Sam Example"
    gap = VISIT_GAP // A_MINUTE
    newest_first = [
        *(entry(opened, 20), entry(noted, 19), entry(opened, 15), entry(opened, 14, sam), entry(opened, 0)),
        entry(opened, -gap - 1),
    ]

    folded = fold_openings(act_lines(newest_first, {}))

    assert [(each.act.number, each.times, each.since) for each in folded] == [
        (20, 3, A_TUESDAY),
        (19, 1, None),
        (14, 1, None),
        (-gap - 1, 1, None),
    ]


@pytest.mark.parametrize("act", [DeskAct.OPENED, DeskAct.CARDS_GIVEN])
def test_an_altered_reading_has_its_own_line_in_the_log_with_its_details_as_stored(act: DeskAct) -> None:
    altered = entry(act, 1, detail='{"altered":true}')

    lines = lines_of_log([entry(DeskAct.OPENED, 2), altered, entry(DeskAct.OPENED, 0)], {})

    assert [(each.what, each.detail) for each in lines] == [
        ("Opened", "history"),
        (words_of_act(act), '{"altered":true}'),
        ("Opened", "history"),
    ]


@pytest.mark.slow
def test_the_page_folds_openings_and_says_codes_in_words(
    service: FastAPI, client: TestClient, clock: SettableClock
) -> None:
    client.follow_redirects = False
    sign_in_as(service, client)
    reference = raise_concern(client)["reference"]
    press(client, reference, "acknowledgement")
    for _ in range(3):
        page = client.get(f"/desk/concerns/{reference}")
        clock.time += 10 * A_MINUTE
    press(client, reference, "outcome", outcome="no_further_action")

    page = client.get(f"/desk/concerns/{reference}")

    history = text_of(page).partition("What was done")[2]
    log = text_of(client.get(f"/desk/record?chain={reference}"))
    assert "Opened by Jo Example, 4 times, Tuesday 24 November 2026 at 09:30 to 10:00" in history
    assert all("No further action, not shared with the reporter" in each for each in (history, log))
    assert "no_further_action" not in history + log
    assert len([act for act, *_ in acts_on(service, reference) if act == DeskAct.OPENED]) == 4
