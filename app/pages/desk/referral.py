"""The text of a concern as a referral: every answer, with labels in the third person."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from app.http.context import AppContext
from app.models.concerns.fields import YesNo
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.signposts import Signpost
from app.pages.concerns.form_answers import (
    AnsweredQuestion,
    AnsweredSection,
    answered_sections,
    repeated_answers,
)
from app.pages.concerns.form_builder import FormBuilder
from app.pages.concerns.form_layout import ENTRY_NAMES, ConcernForm, Question, QuestionKind, RepeatableGroup
from app.pages.concerns.worker_words import FOR_THE_WORKER
from app.pages.posted_forms import Answers, value_at
from app.services.guides.reference_data import ELSEWHERE, ReferenceData

PEOPLE = "concern.people_of_concern"
KNOWN_SO_FAR, NOTHING_KNOWN = "Known so far", "Nothing"
SHOWN_ELSEWHERE = ("guide", "edition", "test")
FURTHER = "Further details"
FLAGS = "To look at first"
FOR_ANOTHER_COUNCIL = "Pass the concern on to the council where the child lives"
FOR_THE_OFFICER = "Tell the designated officer (LADO)"
ReferralLayout = dict[str, Any]


def sections_of(answers: Answers, content: EditionContent, reference_data: ReferenceData) -> list[AnsweredSection]:
    """Order the answers: `FLAGS`, what the form asks, then what other software also sent. Labels are a worker's."""
    counts = {name: len(entries) for name, entries in repeated_answers(answers)}
    form = FormBuilder(content, reference_data, counts, FOR_THE_WORKER).make()
    flags = flags_of(reference_data, content)
    nothing = (AnsweredQuestion(KNOWN_SO_FAR, (NOTHING_KNOWN,)),)
    sections = [*_flagged(answers, flags), *answered_sections(form, answers, nothing)]
    rest = tuple(_further_details(form, answers))
    return [*sections, AnsweredSection("further", FURTHER, (("", rest),))] if rest else sections


def flags_of(reference_data: ReferenceData, content: EditionContent) -> list[dict[str, Any]]:
    """Find whom a worker must contact: children in another council's area, and people who work with children.

    `list` is a path, `member` a field of its entries, and `words` the text by its value.
    """
    councils = {each.council: f"{each.name}: {numbers_of(each)}" for each in reference_data.neighbours}
    councils[ELSEWHERE] = "An area that is not named."
    signposts = reference_data.who_to_call(content).signposts
    officers = [f"{each.name}: {numbers_of(each)}" for each in signposts if each.allegations]
    yes = " ".join(["Works or volunteers with children.", *officers])
    return [
        {"list": "children", "member": "home_council", "label": FOR_ANOTHER_COUNCIL, "words": councils},
        {"list": PEOPLE, "member": "works_with_children", "label": FOR_THE_OFFICER, "words": {YesNo.YES.value: yes}},
    ]


def numbers_of(contact: Signpost) -> str:
    return ", ".join(phone.display for phone in contact.phones) or str(contact.url)


def _flagged(answers: Answers, flags: list[dict[str, Any]]) -> Iterator[AnsweredSection]:
    found = []
    for flag in flags:
        entries = value_at(answers, flag["list"])
        lines = [
            f"{ENTRY_NAMES[flag['list']].capitalize()} {number}: {flag['words'][value]}"
            for number, entry in enumerate(entries if isinstance(entries, list) else (), 1)
            if (value := entry.get(flag["member"])) in flag["words"]
        ]
        if lines:
            found.append(AnsweredQuestion(flag["label"], tuple(lines)))
    if found:
        yield AnsweredSection("flags", FLAGS, (("", tuple(found)),))


def _further_details(form: ConcernForm, answers: Answers) -> Iterator[AnsweredQuestion]:
    shown = {name for section in form for question in section.questions for name in _leaves_shown(question, answers)}
    for name, value in leaves_of(answers):
        if name not in shown and name.partition(".")[0] not in SHOWN_ELSEWHERE:
            yield AnsweredQuestion(_label(name), (str(value),), name)


def _leaves_shown(question: Question, answers: Answers) -> Iterator[str]:
    for name, _ in leaves_of(value_at(answers, question.name), question.name):
        if question.kind is not QuestionKind.OBSERVATIONS or name.rpartition(".")[2] in ("id", "note"):
            yield name


def leaves_of(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every value that is not an object, list or None, with its path, such as `children.0.given_names`."""
    if isinstance(value, Mapping | list):
        pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, inner in pairs:
            yield from leaves_of(inner, f"{name}.{key}" if name else str(key))
    elif value is not None:
        yield name, value


def _label(name: str) -> str:
    """`children.0.uprn` becomes `Children 1: uprn`."""
    words = [str(int(step) + 1) if step.isdecimal() else step.replace("_", " ") for step in name.split(".")]
    text = " ".join(words[:-1])
    return f"{text.capitalize()}: {words[-1]}" if text else words[-1].capitalize()


def layout_of(context: AppContext, guide: str, edition: int) -> ReferralLayout:
    """Return sections, questions, groups, labels of codes and fixed texts for the browser."""
    one_of_each = dict.fromkeys(ENTRY_NAMES, 1)
    content = context.contents(EditionKey(guide, edition))
    form = FormBuilder(content, context.reference_data, one_of_each, FOR_THE_WORKER).make()
    sections = [
        {
            "id": section.id,
            "title": section.title,
            "questions": _described(each for each in section.elements if isinstance(each, Question)),
            "groups": [
                {
                    "name": group.name,
                    "entry": group.entry_name.capitalize(),
                    "questions": _described(group.entries[0].questions, prefix=f"{group.entries[0].name}."),
                }
                for group in section.elements
                if isinstance(group, RepeatableGroup)
            ],
        }
        for section in form
    ]
    return {
        "flags": {
            "title": FLAGS,
            "rules": [
                each | {"entry": ENTRY_NAMES[each["list"]].capitalize()}
                for each in flags_of(context.reference_data, content)
            ],
        },
        "sections": sections,
        "further": FURTHER,
        "elsewhere": SHOWN_ELSEWHERE,
        "nothing": (KNOWN_SO_FAR, NOTHING_KNOWN),
    }


def _described(questions: Iterable[Question], prefix: str = "") -> list[ReferralLayout]:
    """Flatten follow-ups into the list, and drop `prefix` from names."""
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
