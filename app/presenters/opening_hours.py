"""Opening hours, postal addresses and the like as one line of text, the same wherever they are shown."""

from collections.abc import Sequence

from app.models.guidance.contact_details import OpeningHours, PostalAddress, Weekday
from app.models.guidance.contacts import Contact

WEEK = tuple(Weekday)
RUN = 3
"""So many days in a row are written as the first and the last of them."""


def hours_text(hours: Sequence[OpeningHours]) -> str:
    """Return all hours: `Monday to Friday, 08:30 to 17:00; Saturday, 09:00 to 12:00`."""
    return "; ".join(f"{_days(each)}, {each.opens} to {each.closes}" for each in hours)


def address_text(address: PostalAddress) -> str:
    """Return the address: `1 Example Street, Exampleton, ZZ99 9ZZ`."""
    return ", ".join((*address.lines, address.town, address.postcode))


def more_ways(contact: Contact) -> list[str]:
    """Return the ways to reach the contact beside telephone and web, and when: each a few words."""
    ways = {
        "email {}": contact.email,
        "text relay {}": contact.text_relay,
        "at {}": contact.address and address_text(contact.address),
        "open {}": hours_text(contact.opening_hours),
    }
    return [words.format(value) for words, value in ways.items() if value]


def _days(hours: OpeningHours) -> str:
    places = sorted({WEEK.index(day) for day in hours.days})
    names = [WEEK[place].value.capitalize() for place in places]
    if len(names) >= RUN and places[-1] - places[0] == len(places) - 1:
        return f"{names[0]} to {names[-1]}"
    return " and ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
