"""Whatever a program saves as a draft, the check, the comparison and the pages take it."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.models.comparison import changed_fields, changed_sections
from app.models.edition_files import parse_written, read_partly
from app.models.editions import EDITION_EXAMPLE, EditionContent
from app.pages.drafts import (
    DETAILS,
    EDIT_PAGES,
    do_act,
    form_fields,
    section_value,
    show_entries,
    show_fields,
    with_ids,
    with_section,
)
from app.pages.form_answers import SubmittedForm
from tests.support.loops import for_each

ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "text", "x", "phones"]), inner),
    max_leaves=6,
)
CURRENT = EditionContent.model_validate(EDITION_EXAMPLE)


def places_in(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(place for step, each in inner for place in places_in(each, (*at, step)))]


PLACES = places_in(EDITION_EXAMPLE)[1:]


@st.composite
def drafts(draw: st.DrawFn) -> dict[str, Any]:
    """Return the example with other JSON in a few of its places."""
    draft = copy.deepcopy(EDITION_EXAMPLE)
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        owner: Any = draft
        for step in place[:-1]:
            owner = owner.get(step) if isinstance(owner, dict) else None
        if isinstance(owner, dict) and isinstance(place[-1], str):  # JSON has no other keys
            owner[place[-1]] = draw(ANY_JSON)
    return draft


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(drafts())
def test_no_draft_is_too_odd(draft: dict[str, Any]) -> None:
    saved = json.dumps(draft)
    content, faults = parse_written(copy.deepcopy(draft))
    after, _ = read_partly(copy.deepcopy(draft), CURRENT)
    changed_sections(CURRENT, after)
    changed_fields(CURRENT, after)
    for page in EDIT_PAGES:
        value = section_value(draft, page)
        shown = show_fields(form_fields(page), "", value) if page == DETAILS else ()
        entries = show_entries(form_fields(page), page, value)
        assert shown or page != DETAILS
        assert len(entries) == (len(value) if isinstance(value, list) else 0)
        with_ids(with_section(draft, page, SubmittedForm()), page, draft, set())

    assert (content is None) == bool(faults)
    assert json.dumps(draft) == saved


@for_each(
    "act", ["", "up", "up:", "add:", "add:title", "add:title.x", "up:contacts", "up:contacts.9", "down:contacts.0.id.1"]
)
def test_an_act_that_makes_no_sense_changes_nothing(act: str) -> None:
    content = copy.deepcopy(EDITION_EXAMPLE)

    assert do_act(content, act) == ""
    assert content == EDITION_EXAMPLE
