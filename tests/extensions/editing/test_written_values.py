"""What people write in a field is read as they mean it, and what is unclear is not guessed at."""

import datetime as dt

import pytest

from app.extensions.editing.pages.edit_values import spoken_hours
from app.extensions.editing.services.written_values import day_in_words, read_day, split_lines
from app.services.clock.working_hours import hours_text, read_hours
from app.services.guides.written_phones import read_number
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database


@for_each(
    ("typed", "dialled"),
    [
        ("01632 960001", "+441632960001"),
        ("(01632) 960001", "+441632960001"),
        ("01632-960-001", "+441632960001"),
        ("01632.960.001", "+441632960001"),
        ("Tel: 01632 960001", "+441632960001"),
        ("+44 1632 960001", "+441632960001"),
        ("+44 (0)1632 960001", "+441632960001"),
        ("+44 01632 960001", "+441632960001"),
        ("0044 1632 960001", "+441632960001"),
        ("020 7946 0018", "+442079460018"),
        ("07700 900001", "+447700900001"),
        ("0800 1111", "+448001111"),
        ("0800 555 111", "+44800555111"),
        ("00353 1 234 5678", "+35312345678"),
        ("999", "999"),
        ("101", "101"),
        ("116 123", "116123"),
        ("85258", "85258"),
        ("960001", None),
        ("01632 960", None),
        ("01632 960001 2345", None),
        ("01632 960001 ext 4", None),
        ("18001 01632 960001", None),
        ("0163２ 960001", None),
        ("duty team", None),
        ("", None),
    ],
)
def test_a_phone_number_in_any_form_gives_the_number_to_dial(typed: str, dialled: str | None) -> None:
    assert read_number(typed) == dialled


@for_each(
    ("typed", "day"),
    [
        ("30 September 2027", "2027-09-30"),
        ("30th of September, 2027", "2027-09-30"),
        ("Thursday 30 Sept 2027", "2027-09-30"),
        ("thurs 30 sep 27", "2027-09-30"),
        ("September 30, 2027", "2027-09-30"),
        ("30/09/2027", "2027-09-30"),
        ("30.9.27", "2027-09-30"),
        ("30-9-2027", "2027-09-30"),
        ("30 09 2027", "2027-09-30"),
        ("2027-09-30", "2027-09-30"),
        ("01/02/2027", "2027-02-01"),
        ("29 February 2028", "2028-02-29"),
        ("29 February 2027", None),
        ("September 2027", None),
        ("09/30/2027", None),
        ("30 Sebtember 2027", None),
        ("30 September 2027 or later", None),
        ("30 9 20277", None),
        ("3०/09/2027", None),
        ("next year", None),
        ("", None),
    ],
)
def test_a_day_is_read_as_it_is_written_in_britain(typed: str, day: str | None) -> None:
    found = read_day(typed)

    assert (found and found.isoformat()) == day
    assert found is None or read_day(day_in_words(found)) == found


@for_each(
    ("typed", "hours"),
    [
        ("Monday to Thursday 8:30am to 5pm", "Monday to Thursday, 08:30 to 17:00"),
        ("9am to 5pm, Monday to Friday", "Monday to Friday, 09:00 to 17:00"),
        (
            "8.30am - 5pm Mon-Thurs, 8.30am - 4.30pm Fri",
            "Monday to Thursday, 08:30 to 17:00; Friday, 08:30 to 16:30",
        ),
        ("Monday: 9am to noon", "Monday, 09:00 to 12:00"),
        ("Every day, 8am to midnight", "Monday to Sunday, 08:00 to 24:00"),
        ("24 hours a day, 7 days a week", "Monday to Sunday, 00:00 to 24:00"),
        ("24/7", "Monday to Sunday, 00:00 to 24:00"),
        ("Saturday, 09:00 to 24:00", "Saturday, 09:00 to 24:00"),
        ("office hours", ""),
        ("Monday to Friday 9 to 5", ""),
        ("Monday 9am to 5pm and by arrangement", ""),
    ],
)
def test_hours_are_read_in_either_order_and_read_back(typed: str, hours: str) -> None:
    found = read_hours(typed)

    assert hours_text(found) == hours
    assert read_hours(spoken_hours(found)) == found


def test_hours_are_spoken_as_people_say_them() -> None:
    found = read_hours("Mon-Thu 08:30-17:00, Fri 08:30-16:30")

    assert spoken_hours(found) == "Monday to Thursday, 8:30am to 5pm; Friday, 8:30am to 4:30pm"


def test_pasted_lines_lose_their_bullets_and_keep_their_words() -> None:
    typed = "• Often hungry\n\n-  Dirty   clothes\n3. Missing health appointments\no  late\n24 hours away\n"

    assert split_lines(typed) == [
        "Often hungry",
        "Dirty clothes",
        "Missing health appointments",
        "late",
        "24 hours away",
    ]


def test_a_day_in_words_is_written_in_full() -> None:
    assert day_in_words(dt.date(2027, 9, 3)) == "3 September 2027"
