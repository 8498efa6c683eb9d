"""The list of words that people type into search, and what they lead to."""

import re
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from app.errors import CodedValueError, FaultCode
from app.models.base import MAX_ITEMS, FullDate, RequestModel, Text
from app.models.guides.sections import Section
from app.models.languages import LanguageTag

DUTY_TEAM = "duty-team"
SIGNPOST, REASON, SUBJECT = "signposts/", "reasons/", "subjects/"
CAUTIOUS = tuple(section.value for section in Section if section.entry.has_cautions)
"""Sections that a child's own words never lead to."""
FAMILY = re.compile(r"<([a-z]+)>")
Lead = Annotated[
    str,
    StringConstraints(
        pattern=rf"^(?:/[a-z/-]*|{DUTY_TEAM}|(?:{'|'.join(Section)})(?:/[a-z0-9-]+)?"
        rf"|(?:{SIGNPOST}|{REASON}|{SUBJECT})[a-z0-9_-]+)$"
    ),
]


class WordsLine(RequestModel):
    """A query with all words of a phrase, and with none of `unless`, leads to `leads_to`, in this order."""

    phrases: tuple[Text, ...] = Field(
        min_length=1,
        max_length=MAX_ITEMS,
        description="`a/b` is either word, `<name>` a word of that family, `<BENGALI>` a word in that script.",
    )
    unless: tuple[Text, ...] = Field(default=(), max_length=MAX_ITEMS)
    leads_to: tuple[Lead, ...] = Field(min_length=1, max_length=MAX_ITEMS)
    from_child: bool = Field(default=False, description="True if a child or young person types it.")
    language: LanguageTag = "en-GB"
    source: Text
    verified_on: FullDate | None = Field(default=None, description="When a person checked it; null if nobody has.")

    @model_validator(mode="after")
    def _a_childs_words_are_not_judged(self) -> Self:
        if self.from_child and any(each.startswith(CAUTIOUS) for each in self.leads_to):
            raise CodedValueError(FaultCode.INVALID, "a child's own words must not lead to indicators or factors")
        return self


class WordList(RequestModel):
    """Lines in the order in which their answers are shown, and families of words for their phrases."""

    families: dict[str, tuple[Text, ...]] = Field(default_factory=dict)
    lines: tuple[WordsLine, ...] = ()

    @model_validator(mode="after")
    def _families_exist(self) -> Self:
        for line in self.lines:
            for name in FAMILY.findall(" ".join((*line.phrases, *line.unless))):
                if name not in self.families:
                    raise CodedValueError(FaultCode.INVALID, f"there is no family `{name}`")
        return self
