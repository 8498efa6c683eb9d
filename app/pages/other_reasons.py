"""Reasons to come to these pages that are not about a child in the family, each with the people to call."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.config import Settings
from app.models.guides.signposts import Signpost
from app.pages.languages import to_translate


@dataclass(frozen=True)
class OtherReason:
    """A reason to call someone other than the duty team for children. The list of words leads to it by `id`."""

    id: str
    title: str
    sentence: str
    setting: str
    """Name of the setting with the contacts. Empty for signposts."""


OTHER_REASONS = (
    OtherReason(
        "adult",
        to_translate("It is about an adult"),
        to_translate("For an adult who may be at risk, call adult social care."),
        "adults_contact",
    ),
    OtherReason(
        "worker",
        to_translate("It is about someone who works with children"),
        to_translate("You can also call the council officer who deals with this."),
        "",
    ),
    OtherReason(
        "complaint",
        to_translate("I want to complain about the council"),
        to_translate("Complaints go to another team."),
        "complaints_contact",
    ),
)


def contacts_for_other_reasons(settings: Settings, signposts: Sequence[Signpost]) -> list[dict[str, Any]]:
    """Return each reason with its addresses, or with the signposts about people who work with children."""
    officers = tuple(each for each in signposts if each.allegations)
    return [
        {
            "reason": reason,
            "addresses": getattr(settings, reason.setting) if reason.setting else (),
            "signposts": () if reason.setting else officers,
        }
        for reason in OTHER_REASONS
    ]
