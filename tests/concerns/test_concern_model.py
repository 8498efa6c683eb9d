"""The wire model of a concern: it accepts, refuses, and describes itself to a form."""

import copy
import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, get_args

import pytest
from jsonschema_rs import Draft202012Validator
from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from app.models.base import FromCodeList
from app.models.coded_values import coded_values
from app.models.concerns import concern as concern_models
from app.models.concerns.concern import FORM_DIGEST, FORM_VERSION, Concern, form_digest, form_version
from app.models.concerns.examples import FULL_EXAMPLE, SMALLEST_EXAMPLE
from tests.support import released
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

WELL_UNDER_A_MEGABYTE = 850_000
THE_FOUR_PARTS = {
    "Concern": {"immediate_danger", "reporter", "children", "concern"},
    "Reporter": {"kind"},
    "ConcernDetail": {"narrative"},
    "Observation": {"id"},  # an entry that names no item of the guide would say nothing
}


def a_concern(**changes: Any) -> dict[str, Any]:
    """Give the smallest concern with some root members put in or replaced."""
    return {**copy.deepcopy(SMALLEST_EXAMPLE), **changes}


def a_concern_with_detail(**changes: Any) -> dict[str, Any]:
    """Give the smallest concern with some members of `concern` put in or replaced."""
    return a_concern(concern={**SMALLEST_EXAMPLE["concern"], **changes})


def told(refused: pytest.ExceptionInfo[ValidationError]) -> str:
    """Give every sentence of the refusal."""
    return " ".join(error["msg"] for error in refused.value.errors(include_input=False, include_url=False))


def put(payload: Any, place: tuple[str | int, ...], value: object) -> None:
    """Replace the value at a place in a payload."""
    for step in place[:-1]:
        payload = payload[step]
    payload[place[-1]] = value


def models_within(annotation: Any) -> Iterator[type[BaseModel]]:
    """Yield the models anywhere in an annotation."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from models_within(part)


def every_model(root: type[BaseModel]) -> dict[str, type[BaseModel]]:
    """Give the root and every model below it, by name."""
    found = {root.__name__: root}
    for field in root.model_fields.values():
        for model in models_within(field.annotation):
            found |= every_model(model)
    return found


MODELS = every_model(Concern)
FIELDS = {f"{name}.{key}": field for name, model in MODELS.items() for key, field in model.model_fields.items()}
every_field = for_each("field", FIELDS.values())
SCHEMA = Concern.model_json_schema()


def accepted_by(field: FieldInfo, value: object) -> object:
    """Parse a value as that field would, or raise ValidationError."""
    annotated: Any = Annotated[field.annotation, field]
    return TypeAdapter[object](annotated).validate_python(value)


def enums(schema: dict[str, Any]) -> dict[str, set[str]]:
    """Give every list of permitted answers in the schema, by name."""
    return {name: set(part["enum"]) for name, part in schema["$defs"].items() if "enum" in part}


def schema_nodes(node: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a JSON Schema."""
    if isinstance(node, dict):
        yield node
        for part in node.values():
            yield from schema_nodes(part)
    if isinstance(node, list):
        for part in node:
            yield from schema_nodes(part)


def type_nodes() -> Iterator[dict[str, Any]]:
    """Yield every part of the schema that tells a type."""
    return (node for node in schema_nodes(SCHEMA) if isinstance(node.get("type"), str))


def every_object(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object of a payload, so that a test can change it in place."""
    if isinstance(value, dict):
        yield value
    for part in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from every_object(part)


def every_part(value: Any) -> Iterator[BaseModel]:
    """Yield a parsed model and every model below it."""
    if isinstance(value, BaseModel):
        yield value
        for key in type(value).model_fields:
            yield from every_part(getattr(value, key))
    if isinstance(value, tuple):
        for item in value:
            yield from every_part(item)


def longest(node: dict[str, Any]) -> int:
    """Give the length in characters of the longest JSON that the schema permits; fail if there is no limit."""
    if "$ref" in node:
        return longest(SCHEMA["$defs"][node["$ref"].rpartition("/")[2]])
    if "anyOf" in node:
        return max(longest(choice) for choice in node["anyOf"])
    if "enum" in node:
        return max(len(answer) for answer in node["enum"]) + 2
    return {"object": longest_object, "array": longest_array, "string": longest_string}.get(node["type"], number)(node)


def longest_object(node: dict[str, Any]) -> int:
    """Give the length of an object with every key."""
    return len("{}") + sum(len('"":,') + len(key) + longest(part) for key, part in node["properties"].items())


def longest_array(node: dict[str, Any]) -> int:
    """Give the length of a full list."""
    return len("[]") + int(node["maxItems"]) * (len(",") + longest(node["items"]))


def longest_string(node: dict[str, Any]) -> int:
    """Give the length of the longest string, or of a date."""
    return len('""') + (len("2026-11-24") if node.get("format") == "date" else int(node["maxLength"]))


def number(_node: dict[str, Any]) -> int:
    """Give the length of a number with twenty digits, more than any here needs, or of null."""
    return 20


# The required parts


def test_a_concern_with_only_the_four_required_parts_is_accepted() -> None:
    concern = Concern.model_validate(SMALLEST_EXAMPLE)

    assert concern.model_dump(mode="json", exclude_unset=True) == SMALLEST_EXAMPLE


@for_each("part", sorted(THE_FOUR_PARTS["Concern"]))
def test_a_concern_without_one_of_the_four_parts_is_refused(part: str) -> None:
    lacking = {key: value for key, value in SMALLEST_EXAMPLE.items() if key != part}

    with pytest.raises(ValidationError) as refused:
        Concern.model_validate(lacking)

    assert [error["loc"] for error in refused.value.errors()] == [(part,)]


def test_nothing_but_the_four_parts_is_required() -> None:
    required = {
        name: set(part["required"])
        for name, part in {"Concern": SCHEMA, **SCHEMA["$defs"]}.items()
        if part.get("required")
    }

    assert required == THE_FOUR_PARTS


@every_field
def test_what_is_not_required_is_not_answered_until_somebody_answers_it(field: FieldInfo) -> None:
    default = None if field.is_required() else field.default

    assert default in (None, ())


def test_a_concern_about_no_child_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        Concern.model_validate(a_concern(children=[]))


def test_a_concern_may_have_thirty_children_without_any_details() -> None:
    concern = Concern.model_validate(a_concern(children=[{}] * 30))

    assert len(concern.children) == 30


# The narrative


@pytest.mark.parametrize("narrative", ["", " ", "\n\t \u00a0\u2003"])
def test_a_narrative_without_words_is_refused(narrative: str) -> None:
    with pytest.raises(ValidationError):
        Concern.model_validate(a_concern_with_detail(narrative=narrative))


def test_a_narrative_of_fifty_thousand_characters_is_accepted() -> None:
    concern = Concern.model_validate(a_concern_with_detail(narrative="é" * 50_000))

    assert len(concern.concern.narrative) == 50_000


def test_a_narrative_longer_than_fifty_thousand_characters_is_refused() -> None:
    with pytest.raises(ValidationError, match="at most 50000 characters"):
        Concern.model_validate(a_concern_with_detail(narrative="a" * 50_001))


def test_the_longest_possible_concern_stays_well_under_a_megabyte() -> None:
    length = longest(SCHEMA)

    assert length < WELL_UNDER_A_MEGABYTE


# Answers


def test_every_yes_no_question_allows_not_known() -> None:
    questions = {name: answers for name, answers in enums(SCHEMA).items() if {"yes", "no"} & answers}
    doubtful = {name: answers & {"not_known", "not_sure"} for name, answers in questions.items()}

    assert doubtful == {"YesNo": {"not_known"}, "ParentsInformed": {"not_known"}, "ImmediateDanger": {"not_sure"}}


def test_whether_parents_were_told_may_be_answered_with_not_safe() -> None:
    concern = Concern.model_validate(a_concern(informed_and_basis={"parents_informed": "not_safe"}))

    assert concern.informed_and_basis is not None
    assert concern.informed_and_basis.parents_informed == "not_safe"


def test_no_field_is_a_boolean_but_the_mark_of_a_test() -> None:
    types = [node["type"] for node in type_nodes()]

    assert set(types) == {"object", "array", "string", "integer", "null", "boolean"}
    assert types.count("boolean") == 1


@for_each("answer", [True, False, 1, "Yes", "unknown", ""])
def test_an_answer_outside_the_list_is_refused_and_never_read_as_no(answer: object) -> None:
    with pytest.raises(ValidationError):
        Concern.model_validate(a_concern(police_informed=answer))


# Nothing is lost, nothing is echoed


@for_each("place", range(len(list(every_object(FULL_EXAMPLE)))))
def test_a_misspelt_field_is_refused_at_every_level(place: int) -> None:
    misspelt = copy.deepcopy(FULL_EXAMPLE)
    list(every_object(misspelt))[place]["narative"] = "Alex told me"

    with pytest.raises(ValidationError) as refused:
        Concern.model_validate(misspelt)

    assert [error["type"] for error in refused.value.errors()] == ["extra_forbidden"]
    assert "Alex" not in str(refused.value)


def test_a_refusal_does_not_repeat_what_was_written() -> None:
    twice = [{"id": "secrecy", "note": "Alex told me"}] * 2

    with pytest.raises(ValidationError) as refused:
        Concern.model_validate(a_concern_with_detail(narrative=" ", indicators=twice, latest_event="Alex told me"))

    assert refused.value.error_count() == 3
    assert "Alex" not in str(refused.value)
    assert "secrecy" not in str(refused.value)


@for_each("model", MODELS.values())
def test_no_part_of_a_concern_can_be_changed_once_parsed(model: type[BaseModel]) -> None:
    part = next(part for part in every_part(Concern.model_validate(FULL_EXAMPLE)) if type(part) is model)
    key = next(iter(model.model_fields))

    with pytest.raises(ValidationError, match="frozen"):
        setattr(part, key, None)


def test_everything_is_kept_exactly_as_it_was_sent() -> None:
    concern = Concern.model_validate(FULL_EXAMPLE)

    assert concern.model_dump(mode="json", exclude_unset=True) == FULL_EXAMPLE


@for_each(
    "place",
    [
        ("reporter", "name"),
        ("reporter", "phone"),
        ("reporter", "email"),
        ("children", 0, "given_names"),
        ("children", 0, "home_address", "postcode"),
        ("parents_and_carers", 0, "phone"),
        ("agencies", 0, "email"),
    ],
)
@for_each("typed", ["", " ", "?", "ask Sam", "(01632) 960-001 ext. 4", " O’Example–Ąćę 李\n", "x" * 100])
def test_the_models_accept_any_form_of_phone_postcode_name_or_email(place: tuple[str | int, ...], typed: str) -> None:
    sent = copy.deepcopy(FULL_EXAMPLE)
    put(sent, place, typed)

    concern = Concern.model_validate(sent)

    assert concern.model_dump(mode="json", exclude_unset=True) == sent


# Dates and ages


@pytest.mark.parametrize("born", ["1999-01-01", "2030-01-01"])
def test_a_date_of_birth_outside_childhood_is_accepted(born: str) -> None:
    concern = Concern.model_validate(a_concern(children=[{"date_of_birth": born}]))

    assert concern.children[0].date_of_birth == dt.date.fromisoformat(born)


@for_each("born", [2012, "2012", 0, "0", True, "2012-03", "2012-02-30", "2012-03-04T00:00:00", "4/3/2012"])
def test_a_date_of_birth_that_is_not_a_full_date_is_refused(born: object) -> None:
    with pytest.raises(ValidationError):
        Concern.model_validate(a_concern(children=[{"date_of_birth": born}]))


@pytest.mark.parametrize("age", [0, 17])
def test_an_estimated_age_is_from_0_to_17(age: int) -> None:
    concern = Concern.model_validate(a_concern(children=[{"estimated_age": age}]))

    assert concern.children[0].estimated_age == age


@for_each("age", [-1, 18, True, "about 14", 3.5])
def test_an_estimated_age_that_is_no_childs_age_is_refused(age: object) -> None:
    with pytest.raises(ValidationError):
        Concern.model_validate(a_concern(children=[{"estimated_age": age}]))


@for_each("moment", ["2026-11-20", "2026-11", "2026", "2024-02-29"])
def test_the_latest_event_s_date_may_be_partial_and_is_kept(moment: str) -> None:
    concern = Concern.model_validate(a_concern_with_detail(latest_event=moment))

    assert concern.concern.latest_event == moment


@for_each("moment", ["last Friday", "2026-13", "2026-02-30", "2026-1", "20261120", "2026-11-20\n", "", 2026])
def test_what_is_not_a_date_belongs_in_the_field_beside_it(moment: object) -> None:
    with pytest.raises(ValidationError):
        Concern.model_validate(a_concern_with_detail(latest_event=moment))


def test_the_time_of_the_latest_event_may_be_told_in_words() -> None:
    concern = Concern.model_validate(a_concern_with_detail(latest_event_described="some time last winter"))

    assert concern.concern.latest_event_described == "some time last winter"


# Indicators, factors and linked risks


@pytest.mark.parametrize("items", ["indicators", "factors", "linked_risks"])
def test_the_same_item_may_not_be_listed_twice(items: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Concern.model_validate(
            a_concern_with_detail(**{items: [{"id": "secrecy"}, {"id": "secrecy", "note": "again"}]})
        )

    assert "combine the entries" in told(refused)


def test_the_same_id_may_be_in_two_lists() -> None:
    concern = Concern.model_validate(a_concern_with_detail(indicators=[{"id": "secrecy"}], factors=[{"id": "secrecy"}]))

    assert concern.concern.indicators == concern.concern.factors


# The schema for forms


@every_field
def test_every_field_has_a_title_a_description_and_an_example(field: FieldInfo) -> None:
    shown = (field.title, field.description, field.examples)

    assert all(shown)


@every_field
def test_every_description_is_short_enough_to_fit_beside_a_field(field: FieldInfo) -> None:
    lengths = len(field.title or ""), len(field.description or "")

    assert lengths[0] <= 80
    assert lengths[1] <= 200


@every_field
def test_every_example_would_be_accepted(field: FieldInfo) -> None:
    accepted = [accepted_by(field, example) for example in field.examples or ()]

    assert None not in accepted


@for_each("name", MODELS)
def test_every_model_states_a_promise(name: str) -> None:
    promise = (MODELS[name].__doc__ or "").strip()

    assert promise.endswith((".", ".)"))


def test_every_list_and_every_string_has_a_greatest_length() -> None:
    unbounded = [
        node
        for node in type_nodes()
        if (node["type"] == "array" and "maxItems" not in node)
        or (node["type"] == "string" and not {"maxLength", "enum", "format"} & node.keys())
    ]

    assert unbounded == []


# The examples


def test_the_full_example_uses_every_field() -> None:
    used = {
        f"{type(part).__name__}.{key}"
        for part in every_part(Concern.model_validate(FULL_EXAMPLE))
        for key in part.model_fields_set
        if getattr(part, key) not in (None, (), "")
    }

    assert used == FIELDS.keys()


@pytest.mark.parametrize("example", [SMALLEST_EXAMPLE, FULL_EXAMPLE], ids=["smallest", "full"])
def test_the_json_schema_accepts_what_the_model_accepts(example: dict[str, Any]) -> None:
    complaints = list(Draft202012Validator(SCHEMA).iter_errors(example))

    assert complaints == []


# Codes


def test_every_code_of_a_concern_is_found_with_place_and_list() -> None:
    found = list(coded_values(Concern.model_validate(FULL_EXAMPLE)))

    assert found == [
        (("reporter", "source_code"), "referral-source", "2A"),
        (("children", 0, "home_council"), "council", "E06000022"),
        (("children", 0, "sex"), "sex", "F"),
        (("children", 0, "ethnicity"), "ethnicity", "MOTH"),
        (("children", 0, "disabilities", 0), "disability", "HEAR"),
        (("children", 0, "disabilities", 1), "disability", "COMM"),
        (("children", 2, "sex"), "sex", "U"),
        (("informed_and_basis", "reasons_parents_not_told", 0), "reason-parents-not-told", "risk_of_significant_harm"),
        (("informed_and_basis", "lawful_basis"), "lawful-basis", "public_task"),
    ]


def test_the_json_schema_names_the_list_of_every_coded_field() -> None:
    lists = {node["x-code-list"] for node in schema_nodes(SCHEMA) if "x-code-list" in node}

    assert lists == {list_name for _, list_name, _ in coded_values(Concern.model_validate(FULL_EXAMPLE))}


def test_codes_that_were_not_given_yield_nothing() -> None:
    found = list(coded_values(Concern.model_validate(SMALLEST_EXAMPLE)))

    assert found == []


class Shade(BaseModel):
    """A model that holds codes in every way that a field can."""

    plain: str = "not a code"
    outright: Annotated[str, FromCodeList("shades")] = "left out, and so no code"
    perhaps: Annotated[str, FromCodeList("tints")] | None = None
    keyed: dict[str, list[Annotated[str, FromCodeList("hues")]]] = {}
    paired: tuple[int, Annotated[str, FromCodeList("hues")]] = (1, "teal")
    within: "Shade | None" = None


def test_codes_are_found_in_lists_tuples_mappings_and_models_of_any_class() -> None:
    shade = Shade(
        outright="red",
        keyed={"warm": ["ochre", "rust"]},
        paired=(1, "teal"),
        within=Shade(perhaps="rose", paired=(2, "cyan")),
    )

    assert list(coded_values(shade)) == [
        (("outright",), "shades", "red"),
        (("keyed", "warm", 0), "hues", "ochre"),
        (("keyed", "warm", 1), "hues", "rust"),
        (("paired", 1), "hues", "teal"),
        (("within", "perhaps"), "tints", "rose"),
        (("within", "paired", 1), "hues", "cyan"),
    ]


class TwoLists(BaseModel):
    """A model whose codes could not be told apart."""

    either: Annotated[str, FromCodeList("shades")] | list[Annotated[str, FromCodeList("tints")]]


def test_a_field_with_two_code_lists_is_a_mistake_of_the_model() -> None:
    with pytest.raises(TypeError, match=r"TwoLists\.either draws on more than one code list"):
        list(coded_values(TwoLists(either="red")))


def lists_that_may_be_left_out() -> Iterator[tuple[str, str]]:
    """Yield each list of the schema that is not required: the name of its part ('' for the concern) and its own."""
    for part, schema in [("", SCHEMA), *SCHEMA["$defs"].items()]:
        for name, told in schema.get("properties", {}).items():
            kinds = [each.get("type") for each in told.get("anyOf", [told])]
            if "array" in kinds and name not in schema.get("required", []):
                yield part, name


def test_a_null_list_equals_a_missing_one_in_model_and_schema() -> None:
    lists = list(lists_that_may_be_left_out())
    nulls = json.loads(json.dumps(FULL_EXAMPLE), object_hook=lambda told: with_nulls(told, {name for _, name in lists}))
    absent = json.loads(json.dumps(nulls), object_hook=lambda told: {k: v for k, v in told.items() if v is not None})

    assert len(lists) > 12
    assert Concern.model_validate(nulls) == Concern.model_validate(absent)
    assert list(Draft202012Validator(SCHEMA).iter_errors(nulls)) == []


def with_nulls(told: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: None if name in names else value for name, value in told.items()}


def test_null_for_the_children_is_no_concern() -> None:
    with pytest.raises(ValidationError):
        Concern.model_validate(FULL_EXAMPLE | {"children": None})


class SameConcern(Concern, title="Concern"):
    __doc__ = Concern.__doc__


class LongerConcern(SameConcern, title="Concern"):
    __doc__ = Concern.__doc__

    school: str | None = Field(default=None, title="School")


class RewordedConcern(Concern, title="Concern"):
    """Other words about the same questions."""


@pytest.mark.parametrize("form", [LongerConcern, RewordedConcern])
def test_another_form_has_the_version_after_that_of_the_last_release_until_it_is_released(
    form: type[Concern], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(released, "RELEASED_FORM", tmp_path / "form.json")
    monkeypatch.setattr(concern_models, "RELEASED_FORM", tmp_path / "form.json")
    released.record_form()

    assert form_version(form_digest(SameConcern)) == FORM_VERSION
    assert form_version(form_digest(form)) == FORM_VERSION + 1

    monkeypatch.setattr(released, "FORM_VERSION", FORM_VERSION + 1)
    monkeypatch.setattr(released, "FORM_DIGEST", form_digest(form))
    released.record_form()
    assert form_version(form_digest(form)) == FORM_VERSION + 1
    assert form_version(FORM_DIGEST) == FORM_VERSION + 2


def test_the_form_is_not_versioned_below_the_last_release() -> None:
    recorded = json.loads(concern_models.RELEASED_FORM.read_text(encoding="utf-8"))

    assert FORM_VERSION - recorded["version"] in (0, 1)
    assert (recorded["version"] == FORM_VERSION) is (recorded["digest"] == FORM_DIGEST)
