"""Hours: read from words, and which team answers now, by London's clock and its bank holidays."""

import datetime as dt
import json
from typing import Any

import pytest

from app.models.guides.contacts import Contact
from app.models.guides.signposts import Signpost, WhoToCall
from app.services.clock.teams import DutyHours
from app.services.clock.working_days import LONDON, WorkingDays, deadline_in_words
from app.services.clock.working_hours import hours_text, read_hours
from tests.support.loops import for_each
from tests.support.publishing import an_edition

pytestmark = pytest.mark.any_database

NIGHT, DAY = "2026-11-28 02:54", "2026-11-25 11:00"
"""A Saturday and a Wednesday."""
OFFICE = "Monday to Thursday 8:30am to 5pm, Friday 8:30am to 4:30pm"
DAYS = WorkingDays()
OUT_OF_HOURS: dict[str, Any] = {
    "id": "night-team",
    "name": "Night Team",
    "description": "Those who answer at night.",
    "kind": "telephone",
    "phones": ({"number": "+441632960009", "display": "01632 960009"},),
    "scope": "local",
    "source": "Made up.",
}
AT_NIGHT = [
    {"days": ("monday", "tuesday", "wednesday", "thursday", "friday"), "opens": "00:00", "closes": "08:30"},
    {"days": ("monday", "tuesday", "wednesday", "thursday", "friday"), "opens": "17:00", "closes": "24:00"},
    {"days": ("saturday", "sunday"), "opens": "00:00", "closes": "24:00"},
]


def in_london(wall_time: str) -> dt.datetime:
    return dt.datetime.fromisoformat(wall_time).replace(tzinfo=LONDON).astimezone(dt.UTC)


def who(contacts: Any = None, night: Any = ()) -> WhoToCall:
    signpost = Signpost.model_validate_json(json.dumps(OUT_OF_HOURS | {"opening_hours": night}))
    return WhoToCall(contacts or an_edition().contacts, (signpost,))


def duty_hours(words: str | None = None) -> DutyHours:
    return DutyHours(DAYS, words)


def first_at(when: str, duty: DutyHours, contacts: Any = None, night: Any = ()) -> str:
    teams = duty.teams(who(contacts, night), in_london(when))
    assert teams.first is not None
    assert {each.contact.name for each in teams.all} >= {"Night Team", "Duty and Assessment Team"}
    return teams.first.contact.name


@for_each(
    ("words", "hours"),
    [
        (OFFICE, "Monday to Thursday, 08:30 to 17:00; Friday, 08:30 to 16:30"),
        ("Monday to Friday 9am to 5pm", "Monday to Friday, 09:00 to 17:00"),
        ("Mon-Fri 8.30am-5pm", "Monday to Friday, 08:30 to 17:00"),
        (
            "Monday to Friday, 08:30 to 17:00; Saturday, 09:00 to 12:00",
            "Monday to Friday, 08:30 to 17:00; Saturday, 09:00 to 12:00",
        ),
        (
            "Tuesdays and Thursdays from 9:15 until 12 pm and Sunday 9am to 12am",
            "Tuesday and Thursday, 09:15 to 12:00; Sunday, 09:00 to 24:00",
        ),
        ("Saturday to Monday 00:00 to 09:00", "Monday, Saturday and Sunday, 00:00 to 09:00"),
        ("Wednesday, Friday 10:00 to 11:00", "Wednesday and Friday, 10:00 to 11:00"),
    ],
)
def test_hours_that_are_written_as_people_write_them_are_read(words: str, hours: str) -> None:
    assert hours_text(read_hours(words)) == hours


@for_each(
    "words",
    [
        "In office hours",
        "Monday to Friday 9 to 5",
        "Monday to Friday 9am to 5pm in term time",
        "Weekdays 9am to 5pm",
        "Monday 25:00 to 26:00",
        "Monday 13pm to 14pm",
        "Monday to Friday",
    ],
)
def test_words_that_say_anything_else_are_no_hours(words: str) -> None:
    assert read_hours(words) == ()


@for_each(
    ("when", "first"),
    [
        (NIGHT, "Night Team"),
        (DAY, "Duty and Assessment Team"),
        ("2026-11-25 08:29", "Night Team"),
        ("2026-11-25 08:30", "Duty and Assessment Team"),
        ("2026-11-25 16:59", "Duty and Assessment Team"),
        ("2026-11-25 17:00", "Night Team"),
        ("2026-11-27 16:30", "Night Team"),
        ("2026-12-25 11:00", "Night Team"),  # Christmas, a Friday
        ("2026-12-28 11:00", "Night Team"),  # in place of a bank holiday at the weekend
        ("2026-11-30 11:00", "Duty and Assessment Team"),  # a holiday only in Scotland
        ("2027-06-09 08:45", "Duty and Assessment Team"),  # 07:45 in UTC
    ],
)
def test_the_team_that_answers_now_is_first(when: str, first: str) -> None:
    assert first_at(when, duty_hours(OFFICE)) == first


def test_a_bank_holiday_closes_a_team_open_all_day_at_weekends() -> None:
    weekends_too = duty_hours("Monday to Friday 09:00 to 17:00, Saturday to Sunday 00:00 to 00:00")

    assert first_at("2026-12-28 02:00", weekends_too) == "Night Team"
    assert first_at("2026-12-28 11:00", weekends_too) == "Night Team"
    assert first_at("2026-12-26 11:00", weekends_too) == "Duty and Assessment Team"


def test_hours_come_from_the_setting_the_contact_or_the_night_team() -> None:
    duty, *others = an_edition().contacts
    open_at_weekends = {"days": ["saturday"], "opens": "00:00", "closes": "24:00"}
    fields = json.loads(duty.model_dump_json()) | {"opening_hours": [open_at_weekends]}
    own = [Contact.model_validate_json(json.dumps(fields)), *others]

    assert first_at(NIGHT, duty_hours(), own) == "Duty and Assessment Team"
    assert first_at(DAY, duty_hours(), own) == "Night Team"
    assert first_at(NIGHT, duty_hours(OFFICE), own) == "Night Team"
    assert (first_at(NIGHT, duty_hours(), night=AT_NIGHT), first_at(DAY, duty_hours(), night=AT_NIGHT)) == (
        "Night Team",
        "Duty and Assessment Team",
    )
    assert first_at("2026-12-25 11:00", duty_hours(), night=AT_NIGHT) == "Night Team"


@for_each("words", [None, "In office hours"])
def test_without_hours_the_duty_team_is_first_and_none_are_invented(
    words: str | None,
) -> None:
    duty = duty_hours(words)

    for when in (NIGHT, DAY):
        assert first_at(when, duty) == "Duty and Assessment Team"
        assert duty.next_change(who(), in_london(when)) is None
    teams = duty.teams(who(), in_london(DAY))
    assert [each.hours for each in teams.all] == [words or "", ""]


@for_each(
    ("when", "until"),
    [
        ("2026-11-25 08:29", "2026-11-25 08:30"),
        ("2026-11-25 08:30", "2026-11-25 16:30"),  # at most: it is Friday's, and to look again costs nothing
        ("2026-11-25 16:30", "2026-11-25 17:00"),
        ("2026-11-25 17:00", "2026-11-26 00:00"),  # a bank holiday begins at midnight
        ("2026-10-24 17:00", "2026-10-25 00:00"),  # the clocks go back in that night
    ],
)
def test_the_order_holds_at_most_until_the_next_hour_that_is_named(when: str, until: str) -> None:
    found = duty_hours(OFFICE).next_change(who(), in_london(when))

    assert found == in_london(until)


@for_each(
    ("moment", "words"),
    [
        ("2026-12-01T00:00:00+00:00", "the end of Monday 30 November 2026"),
        ("2026-12-01T09:05:00+00:00", "Tuesday 1 December 2026 at 09:05"),
        ("2027-06-13T23:00:00+00:00", "the end of Sunday 13 June 2027"),
        ("2027-06-14T00:00:00+00:00", "Monday 14 June 2027 at 01:00"),
    ],
)
def test_midnight_is_said_as_the_end_of_the_day_before(moment: str, words: str) -> None:
    assert deadline_in_words(dt.datetime.fromisoformat(moment)) == words
