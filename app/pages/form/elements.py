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
    opens: str = ""
    """The numbers of the groups of follow-up questions that it opens, with a space between them."""


@dataclass(frozen=True)
class Question:
    """One question. Its name is the path of its answer, for example `children.0.given_names`."""

    name: str
    kind: QuestionKind
    label: str
    hint: str
    choices: tuple[Choice, ...] = ()
    is_required: bool = False
    if_missing: str = ""
    """What to do where it is required and has no answer."""
    is_number: bool = False
    part: str = ""
    """The title of the optional part in which it is folded away, or an empty string."""
    input_type: str = "text"
    autocomplete: str = ""
    """What a browser may fill in (WCAG 2.2, 1.3.5). It is set for the reporter's own details alone."""
    follow_up_groups: tuple[tuple["Question", ...], ...] = ()
    """The questions that depend on its answer. All of one group are opened by the same choices."""

    @property
    def follow_ups(self) -> tuple["Question", ...]:
        """The questions that depend on its answer."""
        return tuple(each for group in self.follow_up_groups for each in group)

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
    step: str = "more"
    """The step of the form in which it is."""
    hint: str = ""
    warns_of_pictures: bool = False
    """Whether it asks for something that pictures could show. It then says first that none may be sent."""
    elements: tuple[FormElement, ...] = ()

    @property
    def is_collapsed(self) -> bool:
        """Whether it is folded away until the reader opens it."""
        return self.step == "more"

    @property
    def questions(self) -> Iterator[Question]:
        """Every question of the section, with those of entries and follow-up questions."""
        for element in self.elements:
            for each in element.entries if isinstance(element, RepeatableGroup) else (element,):
                for question in each.questions if isinstance(each, FormEntry) else (each,):
                    yield from question.with_follow_ups()


ConcernForm = tuple[FormSection, ...]
