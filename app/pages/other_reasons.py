"""Reasons to come to these pages that are not about a child in the family, each with the people to call."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.config import Settings
from app.models.guides.signposts import Signpost
from app.pages.languages import to_translate


@dataclass(frozen=True)
class OtherReason:
    """To call someone other than the duty team for children."""

    id: str
    title: str
    sentence: str
    setting: str
    """Has the contacts; empty for signposts."""


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
        to_translate("You can also call the officer for people who work or volunteer with children."),
        "",
    ),
    OtherReason(
        "complaint",
        to_translate("I want to complain about the council"),
        to_translate("Complaints go to another team."),
        "complaints_contact",
    ),
)
"""The list of words leads to them by `id`."""


@dataclass(frozen=True)
class OtherContact:
    reason: OtherReason
    addresses: tuple[str, ...]
    signposts: tuple[Signpost, ...]


def other_contacts(settings: Settings, signposts: Sequence[Signpost]) -> list[OtherContact]:
    """Of signposts, those about people who work with children."""
    officers = tuple(each for each in signposts if each.allegations)
    return [
        OtherContact(reason, getattr(settings, reason.setting), ())
        if reason.setting
        else OtherContact(reason, (), officers)
        for reason in OTHER_REASONS
    ]
