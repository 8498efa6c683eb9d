"""The layout of a referral as data, for what opens a concern outside this service and shows it as this would.

`referral.py` shows the same on the server. Entries of a list have the name of their group, a number from 0, and the
name of the question: `children.0.given_names`.
"""

from collections.abc import Iterable
from typing import Any

from app.pages.desk.referral import FURTHER, SHOWN_ELSEWHERE
from app.pages.form_answers import KNOWN_SO_FAR, NOTHING_KNOWN
from app.pages.form_builder import FormBuilder
from app.pages.form_layout import ENTRY_NAMES, Question, RepeatableGroup
from app.store.editions import EditionKey
from app.web.context import AppContext

ReferralLayout = dict[str, Any]


def layout_of(context: AppContext, guide: str, edition: int) -> ReferralLayout:
    """Return sections with their questions and groups, each code with its label, and the words in between."""
    one_of_each = dict.fromkeys(ENTRY_NAMES, 1)
    content = context.contents(EditionKey(guide, edition))
    form = FormBuilder(content, context.reference_data, one_of_each).make()
    sections = [
        {
            "id": section.id,
            "title": section.title,
            "questions": _described(each for each in section.elements if isinstance(each, Question)),
            "groups": [_group(each) for each in section.elements if isinstance(each, RepeatableGroup)],
        }
        for section in form
    ]
    return {
        "sections": sections,
        "further": FURTHER,
        "elsewhere": SHOWN_ELSEWHERE,
        "nothing": (KNOWN_SO_FAR, NOTHING_KNOWN),
    }


def _group(group: RepeatableGroup) -> ReferralLayout:
    (entry,) = group.entries
    return {
        "name": group.name,
        "entry": group.entry_name.capitalize(),
        "questions": _described(entry.questions, prefix=f"{entry.name}."),
    }


def _described(questions: Iterable[Question], prefix: str = "") -> list[ReferralLayout]:
    """Return each question and its follow-up questions, in one list. Names of a group lose the prefix of its entry."""
    return [
        {
            "name": question.name.removeprefix(prefix),
            "kind": question.kind,
            "label": question.label,
            "choices": {choice.value: choice.label for choice in question.choices},
        }
        for first in questions
        for question in first.with_follow_ups()
    ]
