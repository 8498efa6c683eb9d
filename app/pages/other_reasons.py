"""Reasons to come to these pages that are not about a child in the family, each with the people to call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.models.guides.signposts import Signpost
from app.pages.languages import to_translate
from app.services.guides.guides import is_said_in


@dataclass(frozen=True)
class OtherReason:
    """A reason to call someone other than the duty team for children."""

    title: str
    sentence: str
    setting: str
    """Name of the setting with the contacts. Empty for signposts."""
    words: tuple[str, ...]
    """Words by which people search for the reason."""


OTHER_REASONS = (
    OtherReason(
        to_translate("It is about an adult"),
        to_translate("For an adult who may be at risk, call adult social care."),
        "adults_contact",
        (
            *("adult at risk", "vulnerable adult", "adult social care", "elderly", "old lady", "old man", "care home"),
            *("grandmother", "grandfather", "grandma", "grandad"),
        ),
    ),
    OtherReason(
        to_translate("It is about someone who works with children"),
        to_translate("You can also call the council officer who deals with this."),
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
    OtherReason(
        to_translate("I want to complain about the council"),
        to_translate("Complaints go to another team."),
        "complaints_contact",
        ("complaint", "complain", "ombudsman"),
    ),
)


def other_contacts(settings: Settings, signposts: Sequence[Signpost], words: str | None = None) -> list[dict[str, Any]]:
    """For templates: each reason with its addresses, or with the signposts about people who work with children.

    With `words`, only reasons with a search word.
    """
    officers = tuple(each for each in signposts if each.allegations)
    return [
        {
            "reason": reason,
            "addresses": getattr(settings, reason.setting) if reason.setting else (),
            "signposts": () if reason.setting else officers,
        }
        for reason in OTHER_REASONS
        if words is None or any(is_said_in(each, words) for each in reason.words)
    ]
