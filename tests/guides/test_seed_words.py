"""Edition 1 holds the words of the printed guide, all of them and no others, save what is listed here with a reason."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.models.guides.code_lists import CodeList
from app.models.guides.editions import EditionContent
from app.models.guides.items import Factor, Indicator, IndicatorKind, LinkedRisk
from app.models.guides.seed_files import read_seed_file
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

SEED = Path(__file__).parents[2] / "seed"
EDITION = read_seed_file(SEED / "guides" / "child-sexual-exploitation" / "1.yaml", EditionContent)
assert EDITION.source is not None
SOURCE = EDITION.source
DOCUMENT = SEED / "sources" / SOURCE.document

NOT_PRINTED = {
    r"/(\w+)/\d+/(id|kind)": "ids and kinds are this project's names for what is printed",
    r"/indicators/\d+/note": "a note is this project's remark on what is printed",
    r"(/\w+/\d+)?/related_codes/\d+/\w+": "related codes are this project's inference",
    r"/change_note": "it tells readers of the editions what changed; the guide has no editions",
    r"/publisher/gss_code": "the identifier of the area comes from the Office for National Statistics",
    r"/source/(document|sha256)": "they tell which file was transcribed",
    r"/contacts/0/phones/\d/number": "the printed number in international form; it is compared below",
    r"/contacts/2/name": "the guide prints only the address; the name is read from it, as compared below",
    r"/definitions/1/source/url": "the printed address with a scheme before it; it is compared below",
}

LEFT_IN_THE_SOURCE = [
    ("Vulnerability and risk factors and indicators to consider", "heading over the factors and indicators"),
    *[(";", "divides two factors")] * 5,
    ("; and/or", "joins the last factor to those before"),
    (".", "ends the sentence of the factors"),
    *[("·", "bullet of an indicator")] * 10,
    ("[bookmark: _GoBack]", "left behind by the word processor"),
    *[(": ·", "colon after a responsibility's name, and the bullet of its text")] * 4,
    ("Please call the", "leads from the duty team's name to its numbers"),
    ("on", "leads from the duty team's name to its numbers"),
    ("or", "joins the two numbers"),
    ("(Option 1) Our", "the option stands as a field of both numbers; ‘Our’ leads to the form's name"),
    ("can be found at:", "leads from the form's name to its address"),
    ("Vulnerability and risk factors and indicators to consider cont.…….", "heading over the linked risks"),
    *[(";", "divides two linked risks")] * 4,
    ("; and", "joins the last linked risk to those before"),
    (".", "ends the sentence of the linked risks"),
]


def folded(words: str) -> str:
    """Take every run of white space as one space."""
    return " ".join(words.split())


PRINTED = folded(DOCUMENT.read_text(encoding="utf-8"))


def texts(value: object, place: str = "") -> Iterator[tuple[str, str]]:
    """Yield every text that the edition holds, with its place."""
    match value:
        case str():
            yield place, value
        case dict():
            for key, part in value.items():
                yield from texts(part, f"{place}/{key}")
        case list():
            for index, part in enumerate(value):
                yield from texts(part, f"{place}/{index}")


HELD = list(texts(EDITION.model_dump(mode="json")))
SERVED = [(place, text) for place, text in HELD if not any(re.fullmatch(known, place) for known in NOT_PRINTED)]
BARE = re.compile(r".*/(label|option)")


def left_over(printed: str, served: list[str]) -> list[str]:
    """Give what remains of the printed words, in order, once every served text is taken out at its first place."""
    covered = [False] * len(printed)
    for text in served:
        start = printed.index(text)
        covered[start : start + len(text)] = [True] * len(text)
    remains = "".join("\n" if taken else letter for letter, taken in zip(printed, covered, strict=True))
    return [part.strip() for part in remains.split("\n") if part.strip()]


def test_the_source_is_the_document_that_was_received() -> None:
    digest = hashlib.sha256(DOCUMENT.read_bytes()).hexdigest()

    assert digest == SOURCE.sha256 == "b0bdcbd7745cba02d8ff1c8450d77175ab706bc10197954b02f572a99ba8d685"


@for_each("text", [text for _, text in SERVED])
def test_every_text_of_the_edition_is_in_the_printed_guide(text: str) -> None:
    assert text == folded(text)
    assert text in PRINTED


def test_every_printed_word_is_served_or_left_out_for_a_listed_reason() -> None:
    served = [text for place, text in SERVED if not BARE.fullmatch(place)]

    remains = left_over(PRINTED, sorted(served, key=len, reverse=True))

    assert remains == [words for words, _ in LEFT_IN_THE_SOURCE]


@for_each("known", NOT_PRINTED)
def test_every_listed_exception_is_still_needed(known: str) -> None:
    excepted = [text for place, text in HELD if re.fullmatch(known, place)]

    assert excepted


SECTIONS = (EDITION.definitions, EDITION.factors, EDITION.indicators, EDITION.linked_risks, EDITION.responsibilities)


def test_each_part_has_as_many_items_as_are_printed() -> None:
    assert [len(section) for section in SECTIONS] == [2, 7, 10, 6, 4]
    assert (len(EDITION.cautions), len(EDITION.contacts)) == (2, 3)


def test_the_items_are_in_the_printed_order() -> None:
    places = [[PRINTED.index(item.text) for item in section] for section in SECTIONS]

    assert places == [sorted(section) for section in places]


def test_the_broken_bullets_are_kept_as_printed_with_a_note() -> None:
    sixth, seventh = EDITION.indicators[5:7]

    assert sixth.text == "Evidence of new possessions, extra money or access to alcohol, substances or"
    assert seventh.text == (
        "Access to other non-tangible items such as taxi fares access to events, "
        "eating out without plausible explanation"
    )
    assert "breaks off" in str(sixth.note)
    assert "breaks off" in str(seventh.note)


def test_the_misprint_in_the_fourth_responsibility_is_kept() -> None:
    assert EDITION.responsibilities[3].text.startswith("To reduce the risk if sexual exploitation")


def test_a_limb_is_printed_in_its_definition_behind_its_letter() -> None:
    statutory = EDITION.definitions[1]

    assert [limb.label for limb in statutory.limbs] == ["a", "b"]
    assert all(f"({limb.label}) {limb.text}" in statutory.text for limb in statutory.limbs)


def test_only_evidence_of_assault_is_a_sign_of_harm_with_a_note() -> None:
    signs = [indicator for indicator in EDITION.indicators if indicator.kind is IndicatorKind.SIGN_OF_HARM]

    assert [sign.text for sign in signs] == ["Evidence of/suspicions of physical or sexual assault"]
    assert "this project’s reading" in str(signs[0].note)


def test_the_printed_numbers_and_addresses_are_the_ones_that_a_program_gets() -> None:
    team, form, procedures = EDITION.contacts
    source = EDITION.definitions[1].source

    assert [(phone.number, phone.option) for phone in team.phones] == [("+441225396312", "1"), ("+441225396313", "1")]
    assert "01225 396312 or 396313 (Option 1)" in PRINTED
    assert f"{form.name} can be found at: {form.url}" in PRINTED
    assert procedures.name.lower().replace(" ", "-") in str(procedures.url)
    assert source is not None
    assert f"available at: {source.url.removeprefix('https://')}" in PRINTED


def test_no_contact_claims_unprinted_hours_or_checks() -> None:
    assert {(contact.when, contact.verified_on) for contact in EDITION.contacts} == {(None, None)}


def test_every_related_code_is_in_use_and_marked_as_inferred() -> None:
    factors = read_seed_file(SEED / "code-lists" / "dfe-assessment-factors.yaml", CodeList)
    in_use = {entry.code for entry in factors.codes if not entry.historic}
    holders: list[Factor | Indicator | LinkedRisk | EditionContent] = [
        EDITION,
        *EDITION.factors,
        *EDITION.indicators,
        *EDITION.linked_risks,
    ]

    related = [code for holder in holders for code in holder.related_codes]

    assert EDITION.related_codes[0].code == "11A"
    assert {code.code for code in related} <= in_use
    assert {code.basis for code in related} == {"project_inference"}
