"""Making the form from the JSON Schema of a concern: labels, help texts, codes and limits are those of the API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from app.models.concerns.concern import Concern
from app.models.guidance.editions import EditionContent
from app.pages.form.elements import (
    Choice,
    ConcernForm,
    FormElement,
    FormEntry,
    FormSection,
    Question,
    QuestionKind,
    RepeatableGroup,
)
from app.pages.form.layout import FORM_SECTIONS, HANGS_ON, LEFT_OUT, ONE, OTHER_HINTS, OTHER_WORDS
from app.pages.text_format import called
from app.services.guidance.reference_data import ReferenceData

A_FEW = 7
A_FEW_CHARACTERS = 100
A_LINE = 300

JsonSchema = Mapping[str, Any]
Counts = Mapping[str, int]


@dataclass(frozen=True)
class SchemaField:
    """A field of the schema: where its answer stands, and the same place without numbers."""

    name: str
    place: str
    told: JsonSchema
    inner: JsonSchema
    """What its answer is, or each of its answers."""
    is_required: bool

    @property
    def is_many(self) -> bool:
        """Whether it takes several answers."""
        return self.told.get("type") == "array"

    @property
    def words(self) -> str:
        """Its label."""
        return OTHER_WORDS.get(self.place, str(self.told["title"]))

    @property
    def hint(self) -> str:
        """Its help text."""
        return OTHER_HINTS.get(self.place, str(self.told.get("description", "")))


def schema_fields(schema: JsonSchema, name: str = "", place: str = "") -> Iterator[SchemaField]:
    """Each field that the form asks; those of a part stand among those of the whole."""
    for own, field in schema["properties"].items():
        told = _without_null(field)
        at, inner = f"{place}{own}", _resolved(told.get("items", told))
        if at in LEFT_OUT or f"*.{own}" in LEFT_OUT:
            continue
        asked = SchemaField(f"{name}{own}", at, told, inner, own in schema.get("required", ()))
        if inner.get("type") == "object" and not asked.is_many:
            yield from schema_fields(inner, f"{asked.name}.", f"{at}.")
        else:
            yield asked


@cache
def the_schema() -> JsonSchema:
    """The schema of a concern."""
    return Concern.model_json_schema()


def _without_null(told: JsonSchema) -> JsonSchema:
    """The field, where it may be null too: as it is told otherwise."""
    kinds = [each for each in told.get("anyOf", ()) if each.get("type") != "null"]
    return {**told, **kinds[0]} if kinds else told


def _resolved(told: JsonSchema) -> JsonSchema:
    """What it comes to."""
    if "$ref" in told:
        found: JsonSchema = the_schema()["$defs"][told["$ref"].rpartition("/")[2]]
        return found
    return told


@dataclass(frozen=True)
class FormBuilder:
    """Makes the form of one edition."""

    content: EditionContent
    reference_data: ReferenceData
    counts: Counts
    """How many entries there are where there may be several, by name."""

    def make(self) -> ConcernForm:
        """Every section, with its questions."""
        every = list(schema_fields(the_schema()))
        return tuple(
            FormSection(
                id=arranged.id,
                words=arranged.words,
                parts=tuple(self._parts([asked for place in arranged.places for asked in _at(every, place)])),
                is_folded=arranged.is_folded,
                hint=arranged.hint,
            )
            for arranged in FORM_SECTIONS
        )

    def _parts(self, asked: Sequence[SchemaField]) -> Iterator[FormElement]:
        """The questions in their order; those that hang on another stand with it."""
        places = {each.place for each in asked}
        for each in asked:
            if each.inner.get("type") == "object" and "id" not in each.inner["properties"]:
                yield self._several(each)
            elif HANGS_ON.get(each.place, ("", ()))[0] not in places:
                yield self._question(each, asked)

    def _several(self, asked: SchemaField) -> RepeatableGroup:
        one, least, most = ONE[asked.place], asked.told.get("minItems", 0), asked.told["maxItems"]
        count = min(max(self.counts.get(asked.name, least), least), most)
        entries = []
        for number in range(count):
            name = f"{asked.name}.{number}"
            fields = list(schema_fields(asked.inner, f"{name}.", f"{asked.place}."))
            questions = [part for part in self._parts(fields) if isinstance(part, Question)]
            entries.append(FormEntry(name, f"{one.capitalize()} {number + 1}", tuple(questions)))
        return RepeatableGroup(asked.name, asked.words, one, asked.hint, tuple(entries), least, most)

    def _question(self, asked: SchemaField, beside: Sequence[SchemaField]) -> Question:
        kind, choices = self._kind(asked)
        hanging = [each for each in beside if HANGS_ON.get(each.place, ("", ()))[0] == asked.place]
        opening = {answer for each in hanging for answer in HANGS_ON[each.place][1]}
        return Question(
            name=asked.name,
            kind=kind,
            words=asked.words,
            hint=asked.hint,
            choices=tuple(replace(choice, opens=choice.value in opening) for choice in choices),
            is_required=asked.is_required,
            is_number=asked.inner.get("type") == "integer",
            then=tuple(self._question(each, beside) for each in hanging),
        )

    def _kind(self, asked: SchemaField) -> tuple[QuestionKind, tuple[Choice, ...]]:
        if asked.inner.get("type") == "object":
            items = getattr(self.content, asked.place.rpartition(".")[2])
            return QuestionKind.SEEN, tuple(Choice(item.id, item.text) for item in items)
        choices = self._choices(asked.inner)
        if choices:
            one = QuestionKind.ONE_OF if len(choices) <= A_FEW else QuestionKind.FROM_LIST
            return QuestionKind.ANY_OF if asked.is_many else one, choices
        if asked.is_many:
            return QuestionKind.LINES, ()
        return _kind_of_text(asked.inner), ()

    def _choices(self, inner: JsonSchema) -> tuple[Choice, ...]:
        if "enum" in inner:
            return tuple(Choice(value, called(value)) for value in inner["enum"])
        if "x-code-list" not in inner:
            return ()
        codes = self.reference_data.get_code_list(inner["x-code-list"]).codes
        return tuple(Choice(code.code, code.label, code.note or "") for code in codes if not code.historic)


def _at(every: Sequence[SchemaField], place: str) -> list[SchemaField]:
    """The fields at that place of an arrangement, in the order of the models."""
    beneath = place.removesuffix("*")
    return [each for each in every if each.place == place or (beneath != place and each.place.startswith(beneath))]


def _kind_of_text(inner: JsonSchema) -> QuestionKind:
    if inner.get("format") == "date" or str(inner.get("pattern", "")).startswith("^[12]"):
        return QuestionKind.DATE
    if inner.get("type") == "integer" or inner["maxLength"] <= A_FEW_CHARACTERS:
        return QuestionKind.SHORT
    return QuestionKind.LINE if inner["maxLength"] <= A_LINE else QuestionKind.LONG
