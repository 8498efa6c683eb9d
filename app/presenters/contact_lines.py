"""Ways to reach a contact, and cited sources, as plain text: the same wherever they are shown."""

from collections.abc import Sequence

from app.models.guidance.contacts import Contact, OpeningHours, Phone, PostalAddress, Weekday
from app.models.guidance.definitions import DefinitionSource
from app.models.guidance.signposts import Signpost, SignpostScope


def out_of_hours(signposts: Sequence[Signpost]) -> list[Signpost]:
    """Return the council's own contacts that answer when its duty team is closed: local, with a number."""
    return [each for each in signposts if each.scope is SignpostScope.LOCAL and each.phones and not each.emergency]


def phone_text(phone: Phone) -> str:
    """Return the number as printed, then as dialled where that differs, then the option: `0800 (+44800), option 1`."""
    number = phone.display if phone.display == phone.number else f"{phone.display} ({phone.number})"
    return number if phone.option is None else f"{number}, option {phone.option}"


def option_text(phone: Phone) -> str:
    """Return the key to press when the call is answered, to print after the number: ` (option 1)`, or nothing."""
    return f" (option {phone.option})" if phone.option else ""


def citation_text(source: DefinitionSource) -> str:
    """Return the citation as printed, or one made of publisher, date and title."""
    return source.citation or f"{source.publisher}, {source.published}. {source.title}"


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
