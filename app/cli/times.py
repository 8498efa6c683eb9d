"""Ends and lengths of time, as they are written on the command line."""

import datetime as dt
import re

import typer

from app.services.concerns.working_days import LONDON

DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
FURTHEST = dt.timedelta(days=3653)
DURATION = re.compile(r"([0-9]{1,4})([dh])")


def parse_duration(text: str) -> dt.timedelta:
    """Return the length of time in days (`7d`) or hours (`12h`)."""
    found = DURATION.fullmatch(text)
    if found is None:
        raise typer.BadParameter("a length of time is a number of days or hours, such as 7d or 12h")
    number = int(found[1])
    return dt.timedelta(days=number) if found[2] == "d" else dt.timedelta(hours=number)


def parse_end(text: str, now: dt.datetime) -> dt.datetime:
    """Return the end in UTC: that of a day in London, or a length of time from now. It is not in the past."""
    end = _end_of_day(text) if DATE.fullmatch(text) else now + parse_duration(text)
    if not now < end <= now + FURTHEST:
        raise typer.BadParameter("that end is in the past, or more than ten years away")
    return end


def _end_of_day(text: str) -> dt.datetime:
    try:
        following = dt.date.fromisoformat(text) + dt.timedelta(days=1)
    except (ValueError, OverflowError):
        raise typer.BadParameter("there is no such day") from None
    return dt.datetime.combine(following, dt.time(), LONDON).astimezone(dt.UTC)


def format_moment(moment: dt.datetime) -> str:
    """Return the moment for people, in UTC and to the minute."""
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
