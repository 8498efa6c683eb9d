"""The labels around the text of a printed guide, with their translations.

The catalogue of translations for the pages is in a higher layer, so this module cannot import the catalogue.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from app.models.guides.sections import PRINTED_BACK, PRINTED_FRONT, Section
from app.services.guides.presenters import IN_SIMPLE_WORDS, MARK_EXPLAINED, UNCHECKED_CAUTIONS, Say
from app.services.guides.renditions import BEHIND, UNCHECKED

PRINTED_HEADINGS = {
    Section.INDICATORS: "Vulnerability and risk factors and indicators to consider",
    Section.FACTORS: "Vulnerability and risk factors and indicators to consider cont.…….",
}
"""Headings of the printed guide, below ours. Like `Please call the`, they are words of the print and in no edition."""
FOR_CHILDREN = "/worried-about-yourself"
"""The page to which the sheet for a corridor leads: in another language its own page."""
LABELS = (
    "If a child is in danger now, call",
    "or",
    "Please call the {} on",
    "Our {} can be found at:",
    "A child may need help even if you see none of these.",
    "Open",
    "At night and at weekends:",
    "Are you under 18? Talk to",
    "More on the back.",
    "Is someone hurting you, or making you do things you do not want to do?",
    "It is not your fault. You can talk to someone.",
    "Are you in danger now? Call",
    "You can also call the people here who keep children safe:",
    "Or tell us on this page:",
    "Worried about a friend? You can call too.",
    FOR_CHILDREN,
    *PRINTED_HEADINGS.values(),
    "About this edition",
    "About this version",
    "Edition",
    "Source:",
    "Latest version of this guide:",
    "a sign of harm itself, not only of risk",
    "Digest:",
    "QR code that leads to",
    "Logo of",
    "Option",
    "email {}",
    "text relay {}",
    "at {}",
    "open {}",
    "Language",
    "rendition",
    "Form",
    "translation",
    "in simple words",
    "Made by",
    "machine",
    "human",
    "Checked by",
    "nobody yet",
    "Rendition digest",
    IN_SIMPLE_WORDS,
    UNCHECKED,
    BEHIND,
    MARK_EXPLAINED,
    UNCHECKED_CAUTIONS,
    *(section.entry.heading for section in (*PRINTED_FRONT, *PRINTED_BACK)),
)
"""Texts of a printed guide that can be translated here."""
TRANSLATED: Mapping[str, Mapping[str, str]] = json.loads(
    Path(__file__).with_name("printed_words.json").read_text(encoding="utf-8")
)
"""By language and English text. Made by a machine, as on the pages."""


def printed_words(language: str, edition: int = 0) -> dict[str, str]:
    """Return translations by English text, for a tag such as `cy` or `cy-GB`. It is empty for other languages."""
    words, of = TRANSLATED.get(language.partition("-")[0], {}), str(edition)
    return {english.replace("{of}", of): translated.replace("{of}", of) for english, translated in words.items()}


def translator(language: str) -> Say:
    """Return what translates a label, or leaves it in English."""
    words = printed_words(language)
    return lambda text: words.get(text, text)
