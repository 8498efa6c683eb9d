"""The code lists that guidance links to and that concerns use are whole, and say how far they can be trusted."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from app.models.guides.code_lists import Code, CodeList, CodeListStatus
from app.models.guides.seed_files import read_seed_file
from app.models.guides.signposts import Signpost, SignpostList
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

SEED = Path(__file__).parents[2] / "seed"
FILES = sorted((SEED / "code-lists").glob("*.yaml"))

KNOWN = {
    "referral-source": "1A 1B 1C 1D 2A 2B 3A 3B 3C 3D 3E 3F 4 5A 5B 5C 5D 6 7 8 9 10",
    "dfe-assessment-factors": (
        "1A 1B 1C 2A 2B 2C 3A 3B 3C 4A 4B 4C 5A 5B 5C 6A 6B 6C 7A 8B 8C 8D 8E 8F 9A 10A 11A 12A 13A 14A 15A 16A 17A "
        "18A 18B 18C 19A 19B 19C 20 21 22A 23A 24A"
    ),
    "sex": "M F U",
    "ethnicity": (
        "WBRI WIRI WIRT WOTH WROM MWBC MWBA MWAS MOTH AIND APKN ABAN AOTH BCRB BAFR BOTH CHNE OOTH REFU NOBT"
    ),
    "disability": "NONE MOB HAND PC INC COMM LD HEAR VIS BEH CON AUT DDA",
    "outcome": (
        "no_further_action advice_or_signpost early_help assessment_required strategy_discussion_or_section_47 other"
    ),
    "subject": (
        "safeguarding child_sexual_exploitation child_criminal_exploitation gangs_and_youth_violence "
        "trafficking_and_modern_slavery neglect physical_abuse sexual_abuse emotional_abuse domestic_abuse "
        "harm_between_children harm_online going_missing missing_school education_at_home female_genital_mutilation "
        "forced_marriage abuse_linked_to_faith_or_belief radicalisation self_harm mental_health alcohol_and_drugs "
        "private_fostering allegations_against_staff"
    ),
    "council": "E06000022 E06000023 E06000024 E06000025 E06000066 E06000054 elsewhere not_known",
    "lawful-basis": "public_task legal_obligation vital_interests consent",
    "reason-parents-not-told": (
        "risk_of_significant_harm risk_of_injury_to_another obstructs_police_investigation unjustified_delay"
    ),
}


def code_list(name: str) -> CodeList:
    return read_seed_file(SEED / "code-lists" / f"{name}.yaml", CodeList)


def test_the_files_are_exactly_the_known_lists() -> None:
    names = {path.stem for path in FILES}

    assert names == set(KNOWN)


@for_each("path", FILES)
def test_a_list_is_named_as_its_file(path: Path) -> None:
    parsed = read_seed_file(path, CodeList)

    assert parsed.name == path.stem


@for_each("name", KNOWN)
def test_a_list_holds_exactly_the_known_codes_in_their_order(name: str) -> None:
    parsed = code_list(name)

    assert [entry.code for entry in parsed.codes] == KNOWN[name].split()


@for_each("name", KNOWN)
def test_a_list_that_nobody_compared_with_its_source_says_so(name: str) -> None:
    parsed = code_list(name)

    assert parsed.status is CodeListStatus.UNVERIFIED


@for_each("name", KNOWN)
def test_no_two_codes_of_a_list_have_the_same_label(name: str) -> None:
    labels = [entry.label for entry in code_list(name).codes]

    assert len(set(labels)) == len(labels)


def test_only_18a_and_19a_are_historic() -> None:
    historic = [entry.code for name in KNOWN for entry in code_list(name).codes if entry.historic]

    assert historic == ["18A", "19A"]


@for_each(
    ("name", "code", "label"),
    [
        ("ethnicity", "WBRI", "White British"),
        ("ethnicity", "BOTH", "Any other Black background"),
        ("disability", "HAND", "Hand function"),
        ("sex", "U", "Unknown"),
        ("referral-source", "2A", "Schools"),
        (
            "dfe-assessment-factors",
            "3B",
            "Domestic abuse: concerns about a parent or carer being the subject of domestic abuse",
        ),
        ("dfe-assessment-factors", "19C", "Abuse or neglect: sexual abuse (adult on child)"),
    ],
)
def test_a_code_has_the_label_its_publisher_gives(name: str, code: str, label: str) -> None:
    labels = {entry.code: entry.label for entry in code_list(name).codes}

    assert labels[code] == label


def test_a_repeated_code_is_refused() -> None:
    sex = code_list("sex")
    twice = {**sex.model_dump(), "codes": [*sex.codes, Code(code="M", label="Man")]}

    with pytest.raises(ValidationError, match="every `code` in a list must be different"):
        CodeList.model_validate(twice)


def test_999_is_the_first_signpost_and_the_only_one_for_an_emergency() -> None:
    signposts = read_seed_file(SEED / "signposts.yaml", SignpostList).signposts

    assert signposts[0].phones[0].number == "999"
    assert [signpost.id for signpost in signposts if signpost.emergency] == ["police-emergency"]


def test_no_signpost_claims_that_a_person_checked_it() -> None:
    signposts = read_seed_file(SEED / "signposts.yaml", SignpostList).signposts

    assert {signpost.verified_on for signpost in signposts} == {None}


def test_a_signpost_s_international_number_is_the_number_that_is_shown() -> None:
    signposts = read_seed_file(SEED / "signposts.yaml", SignpostList).signposts

    phones = [phone for signpost in signposts for phone in signpost.phones]

    assert [phone.number.replace("+44", "0") for phone in phones] == [
        phone.display.replace(" ", "") for phone in phones
    ]


def test_signposts_that_do_not_begin_with_an_emergency_are_refused() -> None:
    signposts = read_seed_file(SEED / "signposts.yaml", SignpostList).signposts

    with pytest.raises(ValidationError, match="must begin with the signposts marked `emergency`"):
        SignpostList(signposts=tuple(reversed(signposts)))


@pytest.mark.parametrize(("place", "part"), [(0, {"phones": ()}), (1, {"url": None})])
def test_a_signpost_that_leads_nowhere_is_refused(place: int, part: dict[str, object]) -> None:
    signpost = read_seed_file(SEED / "signposts.yaml", SignpostList).signposts[place]

    with pytest.raises(ValidationError, match="signpost needs"):
        Signpost.model_validate({**signpost.model_dump(), **part})


def test_signposts_with_the_same_id_are_refused() -> None:
    signposts = read_seed_file(SEED / "signposts.yaml", SignpostList).signposts

    with pytest.raises(ValidationError, match="every `id` must be different"):
        SignpostList(signposts=(*signposts, signposts[1]))
