"""References: unguessable, safe to read aloud, and able to tell a slip of the pen."""

import itertools
import re
import secrets
from collections.abc import Callable, Iterator

import pytest
from starlette.testclient import TestClient
from stdnum.iso7064 import mod_37_36

from app.models.references import ALPHABET, DRAWN, find_reference, new_reference
from tests.support.concerns import raise_concern
from tests.support.loops import for_each

pytestmark = pytest.mark.any_database

SAMPLES = ("00000000000", "22222222222", "ZZZZZZZZZZZ", "0Z0Z0Z0Z0Z0", "02346789FKM", "ZYXWRMKF987", "4F7K926W0X3")
ALIKE = ("0OQD", "1IJL7T", "5S", "5IY", "59", "8B", "MN", "UV", "BCDEGPTV3", "AJK", "QU", "FS")
MANY = 500


def whole(drawn: str) -> str:
    """The drawn characters with their check character, in groups."""
    plain = drawn + mod_37_36.calc_check_digit(drawn, alphabet=ALPHABET)
    return f"{plain[:4]}-{plain[4:8]}-{plain[8:]}"


def with_one_character_wrong(plain: str) -> Iterator[str]:
    for place, wrong in itertools.product(range(len(plain)), ALPHABET):
        if plain[place] != wrong:
            yield plain[:place] + wrong + plain[place + 1 :]


def with_two_neighbours_swapped(plain: str) -> Iterator[str]:
    for place in range(len(plain) - 1):
        if plain[place] != plain[place + 1]:
            yield plain[:place] + plain[place + 1] + plain[place] + plain[place + 2 :]


@for_each("alike", ALIKE)
def test_the_alphabet_has_one_at_most_of_similar_characters(alike: str) -> None:
    assert len(ALPHABET) == len(set(ALPHABET)) == 16
    assert len(set(alike) & set(ALPHABET)) <= 1


@for_each("drawn", SAMPLES)
def test_every_single_wrong_character_is_found(drawn: str) -> None:
    right = whole(drawn).replace("-", "")

    passed = [wrong for wrong in with_one_character_wrong(right) if find_reference(wrong)]

    assert find_reference(right)
    assert passed == []


def test_the_check_character_follows_iso_7064() -> None:
    for _ in range(MANY):
        plain = new_reference().replace("-", "")
        assert plain[DRAWN] == mod_37_36.calc_check_digit(plain[:DRAWN], alphabet=ALPHABET)
        assert find_reference(plain) is not None
        fitting = {each for each in ALPHABET if find_reference(plain[:DRAWN] + each) is not None}
        assert fitting == {plain[DRAWN]}


def test_nearly_every_exchange_of_two_neighbours_is_found() -> None:
    pairs = [f"{first}{second}" for first, second in itertools.permutations(ALPHABET, 2)]
    right = [whole(f"4F7{pair}926W0X").replace("-", "") for pair in pairs]
    swapped = [wrong for each in right for wrong in with_two_neighbours_swapped(each)]

    passed = [wrong for wrong in swapped if find_reference(wrong)]

    assert len(swapped) > 2000
    assert len(passed) < len(swapped) * 0.02


def test_a_new_reference_has_its_form_and_a_right_check_character() -> None:
    made = [new_reference() for _ in range(MANY)]

    assert all(re.fullmatch(rf"[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}-[{ALPHABET}]{{4}}", reference) for reference in made)
    assert all(find_reference(reference) == reference for reference in made)


def test_references_use_the_whole_alphabet_everywhere_and_never_repeat() -> None:
    made = [new_reference().replace("-", "") for _ in range(MANY)]

    assert len(set(made)) == MANY
    assert all({reference[place] for reference in made} == set(ALPHABET) for place in range(DRAWN))


@pytest.mark.slow
def test_references_that_one_service_gives_are_no_sequence(client: TestClient) -> None:
    made = [raise_concern(client)["reference"] for _ in range(30)]

    assert made != sorted(made)
    assert made != sorted(made, reverse=True)
    assert len({reference[:4] for reference in made}) > 20


def test_a_reference_is_drawn_from_the_randomness_meant_for_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = "0123456789abcdef"[-DRAWN:]
    monkeypatch.setattr(secrets, "token_hex", lambda _: drawn)

    assert new_reference() == whole(ALPHABET[-DRAWN:])


@for_each("style", [str.lower, str.upper, str.swapcase])
@for_each("joint", ["-", "", " ", " - ", "\t"])
def test_a_reference_is_understood_in_any_case_and_grouping(style: Callable[[str], str], joint: str) -> None:
    reference = whole("4F7K926W0X3")

    assert find_reference(f" {style(reference.replace('-', joint))} ") == reference


@pytest.mark.parametrize("letter", ["O", "o"])
def test_the_letter_o_is_read_as_zero(letter: str) -> None:
    reference = whole("00000000000")

    assert find_reference(reference.replace("0", letter)) == reference


@for_each(
    "typed",
    ["", "-", "4F7K", "4F7K926W0X3", "4F7K926W0X3R0", "A" * 12, "ﬀ" * 6, "½" * 12, "\x00" * 12, "٤" * 12, "😀" * 12],
)
def test_what_cannot_be_a_reference_is_none(typed: str) -> None:
    assert find_reference(typed) is None
