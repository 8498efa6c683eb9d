"""Opening hours and postal addresses as one line of text, the same wherever they are shown."""

from collections.abc import Sequence

from app.models.guidance.contact_details import OpeningHours, PostalAddress, Weekday

WEEK = tuple(Weekday)
RUN = 3
"""So many days in a row are written as the first and the last of them."""


def hours_text(hours: Sequence[OpeningHours]) -> str:
    """Return all hours: `Monday to Friday, 08:30 to 17:00; Saturday, 09:00 to 12:00`."""
    return "; ".join(f"{_days(each)}, {each.opens} to {each.closes}" for each in hours)


def address_text(address: PostalAddress) -> str:
    """Return the address: `1 Example Street, Exampleton, ZZ99 9ZZ`."""
    return ", ".join((*address.lines, address.town, address.postcode))


def _days(hours: OpeningHours) -> str:
    places = sorted({WEEK.index(day) for day in hours.days})
    names = [WEEK[place].value.capitalize() for place in places]
    if len(names) >= RUN and places[-1] - places[0] == len(places) - 1:
        return f"{names[0]} to {names[-1]}"
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
