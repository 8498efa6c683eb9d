"""Canonical JSON is that of RFC 8785 to the byte, and the digests taken over it never change."""

import datetime as dt
import hashlib
from typing import Any

import orjson
import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from app.models.base import canonical_json, canonical_submission, digest_of
from app.models.concerns import ADDITION_EXAMPLE, Addition, Concern
from app.models.editions import EditionContent
from app.models.form import FULL_EXAMPLE, SMALLEST_EXAMPLE
from app.models.record import DeskAct, DisclosureRow
from app.services.record import FIRST_PREVIOUS_SHA256, hash_of
from tests.support.clock import A_TUESDAY
from tests.support.loops import for_each
from tests.support.publishing import an_edition

pytestmark = pytest.mark.any_database

LARGEST = 2**53 - 1
NAMES = st.text(st.characters(max_codepoint=127))
TEXTS = st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(
    ['\x00\x1f\b\t\n\f\r"\\/\x7f', "\u2028\ufeff😀"]
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-LARGEST, LARGEST) | TEXTS,
    lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner),
)


@pytest.mark.slow
@given(VALUES)
@settings(max_examples=300, deadline=None)
def test_values_with_ascii_names_and_no_fractions_are_written_as_the_reference_writes_them(value: Any) -> None:
    assert canonical_json(value) == rfc8785.dumps(value)


@pytest.mark.slow
@given(TEXTS.filter(bool))
@settings(max_examples=100, deadline=None)
def test_any_words_in_a_submission_an_edition_or_a_disclosure_are_written_as_the_reference_writes_them(
    words: str,
) -> None:
    concern = Concern.model_validate(FULL_EXAMPLE).model_copy(update={"police_reference": words})
    addition = Addition.model_validate(ADDITION_EXAMPLE)
    addition = addition.model_copy(update={"concern": addition.concern.model_copy(update={"narrative": words})})
    edition = an_edition().model_copy(update={"title": words, "change_note": words})

    for model in (concern, addition, edition):
        dumped = model.model_dump(mode="json", exclude_unset=True)
        assert canonical_submission(model) == rfc8785.dumps(dumped)
        assert canonical_json(orjson.loads(model.model_dump_json(exclude_unset=True))) == rfc8785.dumps(dumped)


@for_each("model", [Concern, Addition, EditionContent, DisclosureRow])
def test_nothing_that_is_digested_can_hold_a_fraction_or_a_name_of_the_caller_s(model: type[BaseModel]) -> None:
    schema = model.model_json_schema()

    for each in [schema, *schema.get("$defs", {}).values()]:
        for name, field in each.get("properties", {}).items():
            assert name.isascii()
            assert "'number'" not in str(field)
            assert "additionalProperties" not in field


@for_each("number", [LARGEST + 1, -LARGEST - 1, 2**64, 10**400])
def test_a_whole_number_beyond_53_bits_has_no_canonical_form(number: int) -> None:
    concern = Concern.model_validate(SMALLEST_EXAMPLE).model_copy(update={"edition": number})

    with pytest.raises(orjson.JSONEncodeError):
        canonical_submission(concern)


def test_the_digest_of_the_seed_s_edition_is_what_it_was_when_it_was_published() -> None:
    assert digest_of(an_edition()) == "sha256:a5129e4eb899eb9761fcc041e91847544b4a1ab7d8694f456b328b5c056593e9"


def test_the_hash_of_a_disclosure_is_what_it_was_when_it_was_written() -> None:
    row = DisclosureRow(
        chain="inbox",
        number=1,
        at=A_TUESDAY + dt.timedelta(microseconds=1),
        client="duty-team",
        act=DeskAct.LISTED,
        address="192.0.2.1",
        detail="“zoë”\t\x1f😀",
        previous_sha256=FIRST_PREVIOUS_SHA256,
        sha256="",
    )

    assert hash_of(row) == "451615d0e8aabb7af4fdd46dd27680c8419c035aa180c20c6ee1e5bf35179670"


@pytest.mark.parametrize(
    ("example", "digest"),
    [
        (SMALLEST_EXAMPLE, "899ba815d4fec786e15fc56baa61edc8c390ba5d63ec87e6b124fcf0e7c5a5e9"),
        (FULL_EXAMPLE, "f499cfdd59045aec59d47f5b7d726bfd83101225d468e7f81a18f7cc03ccb5cc"),
    ],
    ids=["smallest", "full"],
)
def test_the_digest_of_an_example_of_a_concern_is_what_it_was(example: dict[str, Any], digest: str) -> None:
    submission = canonical_submission(Concern.model_validate(example))

    assert hashlib.sha256(submission).hexdigest() == digest
