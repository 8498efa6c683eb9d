"""The elements of a form: questions and groups of questions, each named by the path of its answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class QuestionKind(StrEnum):
    """The input of a question."""

    LINE = "line"  # a line of text
    SHORT = "short"  # a few characters
    LONG = "long"  # text of any length
    LINES = "lines"  # several lines of text, each a separate answer
    DATE = "date"  # a day, a month or a year, in three fields
    ONE_OF = "one_of"  # one of a few choices
    FROM_LIST = "from_list"  # one choice from a long list
    ANY_OF = "any_of"  # any number of choices
    OBSERVATIONS = "observations"  # any number of items of an edition, each with a note


@dataclass(frozen=True)
class Choice:
    """One choice of a question."""

    value: str
    label: str
    note: str = ""
    opens_follow_ups: bool = False
    """Whether choosing it shows the follow-up questions."""


@dataclass(frozen=True)
class Question:
    """One question. Its name is the path of its answer, for example `children.0.given_names`."""

    name: str
    kind: QuestionKind
    label: str
    hint: str
    choices: tuple[Choice, ...] = ()
    is_required: bool = False
    is_number: bool = False
    follow_ups: tuple["Question", ...] = ()
    """The questions that depend on its answer."""

    def with_follow_ups(self) -> Iterator["Question"]:
        """Yield the question, then its follow-up questions."""
        yield self
        for each in self.follow_ups:
            yield from each.with_follow_ups()


@dataclass(frozen=True)
class FormEntry:
    """One entry of a repeatable group: a child, an address, a vehicle."""

    name: str
    title: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class RepeatableGroup:
    """A group of questions that can be answered several times."""

    name: str
    title: str
    entry_name: str
    """The name of one entry, as in `Add another child`."""
    hint: str
    entries: tuple[FormEntry, ...]
    min_entries: int
    max_entries: int


FormElement = Question | RepeatableGroup


@dataclass(frozen=True)
class FormSection:
    """A section of the form. The layout names the fields; the builder adds the elements."""

    id: str
    title: str
    paths: tuple[str, ...]
    """The paths of its fields. A path that ends in a star means every field below it."""
    is_collapsed: bool = True
    hint: str = ""
    elements: tuple[FormElement, ...] = ()

    @property
    def questions(self) -> Iterator[Question]:
        """Every question of the section, with those of entries and follow-up questions."""
        for element in self.elements:
            for each in element.entries if isinstance(element, RepeatableGroup) else (element,):
                for question in each.questions if isinstance(each, FormEntry) else (each,):
                    yield from question.with_follow_ups()


ConcernForm = tuple[FormSection, ...]
