"""The other reasons for which people come to these pages, with the people to call for each reason.

The reasons are an adult at risk, a person who works with children, and a complaint. The home page and the form name
these reasons. Search finds a reason by the words that people use.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from app.config import Settings
from app.models.guides.signposts import Signpost
from app.pages.languages import to_translate
from app.services.guides.guides import is_said_in


@dataclass(frozen=True)
class WrongDoor:
    """A reason to call someone other than the duty team for children.

    `title` is the reason as a heading, and `sentence` says whom to call.
    """

    id: str
    title: str
    sentence: str
    setting: str
    """The name of the setting with the contacts to call. Empty if the contacts are signposts instead."""
    words: tuple[str, ...]
    """Words by which people search for this reason."""


WRONG_DOORS = (
    WrongDoor(
        "adult",
        to_translate("It is about an adult"),
        to_translate("For an adult who may be at risk, call adult social care."),
        "adults_contact",
        (
            *("adult at risk", "vulnerable adult", "adult social care", "elderly", "old lady", "old man", "care home"),
            *("grandmother", "grandfather", "grandma", "grandad"),
        ),
    ),
    WrongDoor(
        "worker",
        to_translate("It is about someone who works with children"),
        to_translate("You can also call the officer for people who work or volunteer with children."),
        "",
        (
            *(
                "teacher",
                "coach",
                "tutor",
                "youth worker",
                "scout leader",
                "foster carer",
                "childminder",
                "social worker",
            ),
            *("vicar", "priest", "imam", "lado", "designated officer", "works with children"),
        ),
    ),
    WrongDoor(
        "complaint",
        to_translate("I want to complain about the council"),
        to_translate("Complaints go to another team."),
        "complaints_contact",
        ("complaint", "complain", "ombudsman"),
    ),
)


@dataclass(frozen=True)
class OtherContact:
    """The contacts to call for the reason `door`: addresses from the council's settings, or signposts."""

    door: WrongDoor
    addresses: tuple[str, ...]
    signposts: tuple[Signpost, ...]


def other_contacts(settings: Settings, signposts: Sequence[Signpost], words: str | None = None) -> list[OtherContact]:
    """Return each reason in `WRONG_DOORS` with the contacts to call, from `settings` or from `signposts`.

    Of `signposts`, only those for concerns about people who work with children are used. If `words` is given, return
    only the reasons with a search word that occurs in `words`.
    """
    officers = tuple(each for each in signposts if each.allegations)
    return [
        OtherContact(door, getattr(settings, door.setting), ()) if door.setting else OtherContact(door, (), officers)
        for door in WRONG_DOORS
        if words is None or any(is_said_in(each, words) for each in door.words)
    ]
