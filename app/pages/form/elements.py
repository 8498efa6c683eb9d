"""What a form is made of: questions and groups of questions, each named by the place of its answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class QuestionKind(StrEnum):
    """How a question is asked."""

    LINE = "line"
    """A line of text."""
    SHORT = "short"
    """A few characters."""
    LONG = "long"
    """Text of any length."""
    LINES = "lines"
    """Several lines of text, each an answer of its own."""
    DATE = "date"
    """A day, a month or a year, in three fields."""
    ONE_OF = "one_of"
    """One of a few answers."""
    FROM_LIST = "from_list"
    """One answer of a long list."""
    ANY_OF = "any_of"
    """As many answers as apply."""
    SEEN = "seen"
    """As many items of an edition as were seen, each with a note."""


@dataclass(frozen=True)
class Choice:
    """One answer that may be chosen."""

    value: str
    words: str
    remark: str = ""
    opens: bool = False
    """Whether choosing it brings up the questions that hang on it."""


@dataclass(frozen=True)
class Question:
    """One question. Its name is the place of its answer, such as `children.0.given_names`."""

    name: str
    kind: QuestionKind
    words: str
    hint: str
    choices: tuple[Choice, ...] = ()
    is_required: bool = False
    is_number: bool = False
    then: tuple["Question", ...] = ()
    """The questions that hang on its answer."""

    def with_those_that_follow(self) -> Iterator["Question"]:
        """The question, then each that hangs on it."""
        yield self
        for each in self.then:
            yield from each.with_those_that_follow()


@dataclass(frozen=True)
class FormEntry:
    """One of several alike: a child, an address, a vehicle."""

    name: str
    words: str
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class RepeatableGroup:
    """Entries of which there may be none or many."""

    name: str
    words: str
    one: str
    """What one of them is called, as after `Add another`."""
    hint: str
    entries: tuple[FormEntry, ...]
    least: int
    most: int


FormElement = Question | RepeatableGroup


@dataclass(frozen=True)
class FormSection:
    """A section of the form."""

    id: str
    words: str
    parts: tuple[FormElement, ...]
    is_folded: bool
    hint: str = ""

    @property
    def questions(self) -> Iterator[Question]:
        """Every question of the section, those of entries too."""
        for part in self.parts:
            asked = part.entries if isinstance(part, RepeatableGroup) else (part,)
            for each in asked:
                for question in each.questions if isinstance(each, FormEntry) else (each,):
                    yield from question.with_those_that_follow()


ConcernForm = tuple[FormSection, ...]
