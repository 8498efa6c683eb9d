"""Telephone numbers and cited sources as plain text, the same wherever they are printed."""

from collections.abc import Sequence

from app.models.guidance.contacts import Phone
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
