"""One working day on: England's weekends and bank holidays left out, by London's clock."""

import datetime as dt

import pytest
from holidays import country_holidays
from starlette.testclient import TestClient

from app.services.clock.working_days import LONDON, WorkingDays
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, raise_concern, token_of
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

CASES = [
    ("a Tuesday morning", "2026-11-24 09:30", "2026-11-25 09:30"),
    ("a Friday afternoon", "2026-11-27 16:45", "2026-11-30 16:45"),
    ("a Friday, one minute before midnight", "2026-11-27 23:59", "2026-11-30 23:59"),
    ("the first minute of a Saturday", "2026-11-28 00:00", "2026-12-01 00:00"),
    ("a Saturday", "2026-11-28 11:00", "2026-12-01 00:00"),
    ("a Sunday night", "2026-11-29 23:59", "2026-12-01 00:00"),
    ("the day before Christmas, a Thursday", "2026-12-24 15:00", "2026-12-29 15:00"),
    ("Christmas Day, a Friday", "2026-12-25 10:00", "2026-12-30 00:00"),
    ("the Monday that stands in for Boxing Day", "2026-12-28 10:00", "2026-12-30 00:00"),
    ("the day before New Year's Day, a Thursday", "2026-12-31 12:00", "2027-01-04 12:00"),
    (
        "the day before Good Friday, with the clocks put forward on Easter Sunday",
        "2027-03-25 15:00",
        "2027-03-30 15:00",
    ),
    ("Good Friday", "2027-03-26 15:00", "2027-03-31 00:00"),
    ("Easter Monday", "2027-03-29 09:00", "2027-03-31 00:00"),
    ("the Friday before the clocks go back", "2026-10-23 17:10", "2026-10-26 17:10"),
    ("the hour that comes twice, a Sunday", "2026-10-25 01:30", "2026-10-27 00:00"),
    ("the early May bank holiday", "2027-05-03 09:00", "2027-05-05 00:00"),
    ("the day before the summer bank holiday's weekend", "2027-08-27 09:00", "2027-08-31 09:00"),
]


def in_london(wall_time: str) -> dt.datetime:
    """The moment when a clock in London shows that time."""
    return dt.datetime.fromisoformat(wall_time).replace(tzinfo=LONDON)


@for_each(("received", "due"), [case[1:] for case in CASES])
def test_an_acknowledgement_is_due_one_working_day_later_in_london_time(received: str, due: str) -> None:
    told = WorkingDays().after(in_london(received).astimezone(dt.UTC), days=1)

    assert told == in_london(due)
    assert told.tzinfo is dt.UTC


def test_a_clock_change_moves_the_utc_moment_and_not_the_local_time() -> None:
    friday = dt.datetime(2026, 10, 23, 16, 10, tzinfo=dt.UTC)  # 17.10 in London, still summer time

    told = WorkingDays().after(friday, days=1)

    assert told == dt.datetime(2026, 10, 26, 17, 10, tzinfo=dt.UTC)


def test_a_summer_day_ends_at_midnight_in_london_not_in_utc() -> None:
    saturday = dt.datetime(2027, 6, 12, 12, 0, tzinfo=dt.UTC)

    told = WorkingDays().after(saturday, days=1)

    assert told == dt.datetime(2027, 6, 14, 23, 0, tzinfo=dt.UTC)


def test_the_day_is_london_s_even_if_utc_is_a_day_behind() -> None:
    friday_in_utc_and_saturday_in_london = dt.datetime(2027, 6, 11, 23, 30, tzinfo=dt.UTC)

    told = WorkingDays().after(friday_in_utc_and_saturday_in_london, days=1)

    assert told == in_london("2027-06-15 00:00")


def test_every_due_time_is_within_six_days_and_never_while_closed() -> None:
    days = WorkingDays()
    moments = [dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(hours=hour) for hour in range(0, 24 * 400, 7)]

    waits = [days.after(moment, days=1) - moment for moment in moments]
    last_seconds = [(days.after(moment, days=1) - dt.timedelta(seconds=1)).astimezone(LONDON) for moment in moments]
    assert dt.timedelta() < min(waits)
    assert max(waits) <= dt.timedelta(days=6)
    assert all(days.calendar.is_working_day(last.date()) or last.time() == dt.time(23, 59, 59) for last in last_seconds)


def test_scotland_s_and_northern_ireland_s_own_holidays_are_working_days_here() -> None:
    days = WorkingDays()

    assert days.calendar.is_working_day(dt.date(2026, 11, 30))
    assert days.calendar.is_working_day(dt.date(2027, 3, 17))
    assert days.calendar.is_working_day(dt.date(2026, 7, 13))


def test_the_receipt_the_check_and_the_status_tell_the_same_moment(client: TestClient, clock: SettableClock) -> None:
    clock.time = dt.datetime(2026, 12, 24, 15, 0, tzinfo=dt.UTC)

    checked = client.post("/v1/concerns/check", json=a_concern()).json()
    receipt = raise_concern(client)
    bearer = token_of(receipt)
    status = client.get(receipt["links"]["self"], headers=bearer).json()

    assert receipt["received_at"] == "2026-12-24T15:00:00Z"
    assert receipt["acknowledge_by"] == "2026-12-29T15:00:00Z"
    assert checked["acknowledge_by"] == status["acknowledge_by"] == receipt["acknowledge_by"]


def test_the_receipt_says_when_to_expect_an_answer_and_who_to_call(client: TestClient, clock: SettableClock) -> None:
    clock.time = dt.datetime(2027, 6, 11, 15, 5, tzinfo=dt.UTC)

    receipt = raise_concern(client)

    sentences = [sentence for sentence in receipt["next_steps"] if "Monday 14 June 2027 at 16:05" in sentence]
    assert len(sentences) == 1
    first_to_call = next(contact for contact in receipt["contacts"] if contact["phones"])
    assert first_to_call["phones"][0]["display"] in sentences[0]


def test_the_holidays_equal_those_of_the_whole_package() -> None:
    years = range(2020, 2040)
    whole = country_holidays("GB", subdiv="ENG", years=years)

    ours = WorkingDays().calendar

    assert len(whole) > 8 * len(years) - 1
    assert {day: ours.get(day) for day in whole} == dict(whole)
    days = (dt.date(2020, 1, 1) + dt.timedelta(days=number) for number in range(20 * 366 - 15))
    assert [day for day in days if day in ours and day not in whole] == []
