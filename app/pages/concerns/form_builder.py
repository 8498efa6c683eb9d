"""The builder of the form from the JSON Schema of a concern: labels, help texts, codes and limits come from the API."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from app.http.field_errors import FAULTS
from app.models.concerns.concern import Concern
from app.models.guides.editions import EditionContent
from app.pages.concerns.form_layout import (
    ABOUT_A_CHILD,
    AS_IN_MODELS,
    DANGER,
    DUTY_TO_REPORT,
    ENTRY_NAMES,
    OF_DUTY,
    OMITTED_FIELDS,
    Choice,
    ConcernForm,
    FormElement,
    FormEntry,
    FormVariant,
    Question,
    QuestionKind,
    RepeatableGroup,
    Wording,
    labelled,
    part_of,
)
from app.pages.languages import gettext
from app.pages.text_format import code_label
from app.services.guides.reference_data import ReferenceData

MAX_RADIO_CHOICES = 7
MAX_SHORT_LENGTH = 100
MAX_LINE_LENGTH = 300
OF_TEXT = (QuestionKind.LINE, QuestionKind.SHORT, QuestionKind.LONG)
JsonSchema = Mapping[str, Any]


@dataclass(frozen=True)
class SchemaField:
    """A field. `name` has the numbers of entries (`children.0.age`), and `path` has not. `schema` omits `null`."""

    name: str
    path: str
    schema: JsonSchema
    value_schema: JsonSchema
    """Schema of each value if the field is a list."""
    is_required: bool

    @property
    def is_list(self) -> bool:
        return self.schema.get("type") == "array"


def schema_fields(schema: JsonSchema, name: str = "", path: str = "") -> Iterator[SchemaField]:
    """Yield the fields; a nested object is replaced by its own fields."""
    for own_name, property_schema in schema["properties"].items():
        field_schema = _without_null(property_schema)
        value_schema = _resolve(field_schema.get("items", field_schema))
        field_path = f"{path}{own_name}"
        if field_path in OMITTED_FIELDS or f"*.{own_name}" in OMITTED_FIELDS:
            continue
        is_required = own_name in schema.get("required", ())
        field = SchemaField(f"{name}{own_name}", field_path, field_schema, value_schema, is_required)
        if value_schema.get("type") == "object" and not field.is_list:
            yield from schema_fields(value_schema, f"{field.name}.", f"{field_path}.")
        else:
            yield field


@cache
def concern_schema() -> JsonSchema:
    return Concern.model_json_schema()


def _without_null(schema: JsonSchema) -> JsonSchema:
    options = [each for each in schema.get("anyOf", ()) if each.get("type") != "null"]
    return {**schema, **options[0]} if options else schema


def _resolve(schema: JsonSchema) -> JsonSchema:
    if "$ref" in schema:
        definition: JsonSchema = concern_schema()["$defs"][schema["$ref"].rpartition("/")[2]]
        return definition
    return schema


@dataclass(frozen=True)
class FormBuilder:
    content: EditionContent
    reference_data: ReferenceData
    counts: Mapping[str, int]
    """Number of entries in each repeatable group."""
    variant: FormVariant = ABOUT_A_CHILD
    duty_to_report: str | None = ""
    """None if the question is not asked."""
    left_out: str = ""
    """Name of a question that is not shown, such as `children.0.account`."""

    def make(self) -> ConcernForm:
        """Return the form in the current language."""
        unasked = OF_DUTY if self.duty_to_report is None else ()
        fields = [each for each in schema_fields(concern_schema()) if not each.path.startswith(unasked)]
        return tuple(
            replace(
                section,
                title=gettext(section.title),
                hint=gettext(section.hint),
                group=gettext(section.group),
                elements=(
                    *self._elements([field for path in section.paths for field in _fields_at(fields, path)]),
                    *self._asked_first(section.id, fields),
                ),
            )
            for section in self.variant.sections
        )

    def _elements(self, fields: Sequence[SchemaField]) -> Iterator[FormElement]:
        """Put a follow-up inside the question that reveals it."""
        paths = {field.path for field in fields}
        for field in fields:
            if field.value_schema.get("type") == "object" and "id" not in field.value_schema["properties"]:
                yield self._repeatable_group(field)
            elif self._wording(field).after[0] not in paths:
                yield self._question(field, fields)

    def _asked_first(self, section: str, fields: Sequence[SchemaField]) -> Iterator[Question]:
        """Yield checkboxes that ask early about the first entry of a later group."""
        for first in self.variant.asked_first:
            if first.section == section:
                group = next(field for field in fields if field.path == first.group)
                entry = schema_fields(group.value_schema, f"{group.name}.0.", f"{group.path}.")
                question = self._question(next(field for field in entry if field.path == first.path), ())
                label, hint = gettext(first.label), gettext(first.hint)
                yield replace(question, kind=QuestionKind.TICK, label=label, hint=hint)

    def _repeatable_group(self, field: SchemaField) -> RepeatableGroup:
        entry_name = gettext(ENTRY_NAMES[field.path])
        min_entries, max_entries = field.schema.get("minItems", 0), field.schema["maxItems"]
        count = min(max(self.counts.get(field.name, min_entries), min_entries), max_entries)
        entries = []
        for number in range(count):
            name = f"{field.name}.{number}"
            asked = {each.path for each in self.variant.asked_first} if number == 0 else set()
            every = schema_fields(field.value_schema, f"{name}.", f"{field.path}.")
            fields = [each for each in every if each.path not in asked and each.name != self.left_out]
            questions = [element for element in self._elements(fields) if isinstance(element, Question)]
            entries.append(FormEntry(name, f"{entry_name.capitalize()} {number + 1}", tuple(questions)))
        return RepeatableGroup(
            field.name, self._label(field), entry_name, self._hint(field), tuple(entries), min_entries, max_entries
        )

    def _wording(self, field: SchemaField) -> Wording:
        return self.variant.questions.get(field.path, AS_IN_MODELS)

    def _label(self, field: SchemaField) -> str:
        label = self._wording(field).label
        return gettext(str(field.schema["title"]) if label is None else label)

    def _hint(self, field: SchemaField) -> str:
        if field.path == DUTY_TO_REPORT:
            return self.duty_to_report or ""
        hint = self._wording(field).hint
        return gettext(str(field.schema.get("description", "")) if hint is None else hint)

    def _question(self, field: SchemaField, siblings: Sequence[SchemaField]) -> Question:
        kind, choices = self._kind_and_choices(field)
        wording = self._wording(field)
        kind = QuestionKind.TICK if wording.is_tick else kind
        groups: dict[tuple[str, ...], list[Question]] = {}
        for each in siblings:
            parent, answers = self._wording(each).after
            if parent == field.path:
                groups.setdefault(answers, []).append(self._question(each, siblings))
        return Question(
            name=field.name,
            kind=kind,
            label=self._label(field),
            hint=self._hint(field),
            choices=tuple(
                replace(
                    choice, opens=" ".join(str(n) for n, answers in enumerate(groups, 1) if choice.value in answers)
                )
                for choice in choices
            ),
            is_required=field.is_required,
            if_missing=gettext(wording.missing),
            **self._number_limits(field),
            max_letters=field.value_schema.get("maxLength", 0) if kind in OF_TEXT else 0,
            part=gettext(part_of(field.path, wording)),
            input_type=wording.autofill[0],
            autocomplete=wording.autofill[1],
            calls_for_help=field.path == DANGER,
            follow_up_groups=tuple(tuple(group) for group in groups.values()),
        )

    def _number_limits(self, field: SchemaField) -> dict[str, Any]:
        if field.value_schema.get("type") != "integer":
            return {}
        maximum, label = field.value_schema["maximum"], self._label(field)
        return {
            "is_number": True,
            "maximum": maximum,
            "if_no_number": labelled(label, gettext(FAULTS["int_type"][1])),
            "if_too_large": labelled(label, gettext(FAULTS["less_than_equal"][1]).format(le=maximum)),
        }

    def _kind_and_choices(self, field: SchemaField) -> tuple[QuestionKind, tuple[Choice, ...]]:
        if field.value_schema.get("type") == "object":
            items = getattr(self.content, field.path.rpartition(".")[2])
            return QuestionKind.OBSERVATIONS, tuple(Choice(item.id, item.text) for item in items)
        choices = self._choices(field)
        if choices:
            single = QuestionKind.ONE_OF if len(choices) <= MAX_RADIO_CHOICES else QuestionKind.FROM_LIST
            return QuestionKind.ANY_OF if field.is_list else single, choices
        if field.is_list:
            return QuestionKind.LINES, ()
        return _text_kind(field.value_schema), ()

    def _choices(self, field: SchemaField) -> tuple[Choice, ...]:
        schema = field.value_schema
        choices = [Choice(value, code_label(value)) for value in schema.get("enum", ())]
        if "x-code-list" in schema and not choices:
            codes = self.reference_data.get_code_list(schema["x-code-list"]).codes
            choices = [Choice(code.code, code.label, code.note or "") for code in codes if not code.historic]
        plain = self._wording(field).choices
        return tuple(
            Choice(each.value, gettext(plain[each.value]))
            if each.value in plain
            else replace(each, label=gettext(each.label), note=gettext(each.note))
            for each in choices
        )


def _fields_at(fields: Sequence[SchemaField], path: str) -> list[SchemaField]:
    """A star at the end of `path` matches every path with that beginning."""
    prefix = path.removesuffix("*")
    return [field for field in fields if field.path == path or (prefix != path and field.path.startswith(prefix))]


def _text_kind(schema: JsonSchema) -> QuestionKind:
    if schema.get("format") == "date" or str(schema.get("pattern", "")).startswith("^[12]"):
        return QuestionKind.DATE
    if schema.get("type") == "integer" or schema["maxLength"] <= MAX_SHORT_LENGTH:
        return QuestionKind.SHORT
    return QuestionKind.LINE if schema["maxLength"] <= MAX_LINE_LENGTH else QuestionKind.LONG
