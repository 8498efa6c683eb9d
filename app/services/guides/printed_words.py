"""The labels around the text of a printed guide, with their translations.

The catalogue of translations for the pages is in a higher layer, so this module cannot import the catalogue.
"""

from collections.abc import Mapping

from app.models.guides.sections import PRINTED_BACK, PRINTED_FRONT
from app.services.guides.presenters import IN_SIMPLE_WORDS, MARK, MARK_EXPLAINED, UNCHECKED_CAUTIONS
from app.services.guides.renditions import UNCHECKED

LABELS = (
    "If a child is in danger now, call",
    "or",
    "Worried about a child? Call the",
    "Open",
    "At night and at weekends:",
    "Are you under 18? Talk to",
    "More on the back.",
    "About this edition",
    "About this version",
    "Edition",
    "Source:",
    "Latest version of this guide:",
    "sign of harm",
    IN_SIMPLE_WORDS,
    UNCHECKED,
    MARK_EXPLAINED,
    UNCHECKED_CAUTIONS,
    *(section.entry.heading for section in (*PRINTED_FRONT, *PRINTED_BACK)),
)
"""Texts of a printed guide that can be translated here. Page numbers, facts and notices stay in English."""
TRANSLATED: Mapping[str, Mapping[str, str]] = {
    "cy": {
        "If a child is in danger now, call": "Os yw plentyn mewn perygl nawr, ffoniwch",
        "or": "neu",
        "Worried about a child? Call the": "Yn poeni am blentyn? Ffoniwch y",
        "Open": "Ar agor",
        "At night and at weekends:": "Gyda’r nos ac ar benwythnosau:",
        "Are you under 18? Talk to": "Wyt ti o dan 18? Siarada â",
        "More on the back.": "Mwy ar y cefn.",
        "About this edition": "Am yr argraffiad hwn",
        "About this version": "Am y fersiwn hon",
        "Edition": "Argraffiad",
        "Source:": "Ffynhonnell:",
        "Latest version of this guide:": "Fersiwn ddiweddaraf y canllaw hwn:",
        "sign of harm": "arwydd o niwed",
        IN_SIMPLE_WORDS: "Dyma’r canllaw mewn geiriau syml.",
        UNCHECKED: "Cyfrifiadur a wnaeth y fersiwn hon, ac nid oes neb wedi’i gwirio. Mae’r rhybuddion a’r rhifau "
        "i’w ffonio yng ngeiriau’r canllaw ei hun.",
        MARK_EXPLAINED: f"Daw’r geiriau â {MARK} o’r canllaw printiedig.",
        UNCHECKED_CAUTIONS: "Mewn geiriau eraill (gan gyfrifiadur, heb eu gwirio):",
        "What it is": "Beth ydyw",
        "What can make a child more vulnerable": "Beth all wneud plentyn yn fwy agored i niwed",
        "What to look for": "Beth i edrych amdano",
        "Linked risks": "Risgiau cysylltiedig",
        "What to do": "Beth i’w wneud",
        "Who to call": "Pwy i’w ffonio",
    }
}
"""The Welsh is a machine translation, as on the pages."""


def printed_words(language: str) -> dict[str, str]:
    """Return the words by English text, for a tag such as `cy` or `cy-GB`. Empty without a translation."""
    return dict(TRANSLATED.get(language.partition("-")[0], {}))
