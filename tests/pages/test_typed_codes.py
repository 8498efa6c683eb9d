"""What is wrong with a typed reference or code is said by its shape, and what was typed stays."""

import html
import re

import pytest
from starlette.testclient import TestClient

from tests.support.concerns import raise_concern

REFERENCE, CODE = "4F7K-926W-0X37", "7K3M-9QXT-2W8R-VB5N"
OLD_CODE = "q3J9s0H7m2c5y8e1l4n6p0r3t5v7x9z1b3d5f7h9j1k"
SWAPPED = "These look swapped. Type the reference first, then the code."
NO_MATCH = "No concern matches this reference and code. Check both for mistakes."
OF_LENGTH = "Your {} has {} letters and digits. You typed {}."
MISSPELT = "There is a mistake in your {}. Check each letter and digit."
TYPED = {
    "nothing": ("", "", ["Enter your reference.", "Enter your code."]),
    "too short": (REFERENCE[:-1], "hello", [OF_LENGTH.format("reference", 12, 11), OF_LENGTH.format("code", 16, 5)]),
    "too long": (REFERENCE, f"{CODE}-2", [OF_LENGTH.format("code", 16, 17)]),
    "swapped": (CODE, REFERENCE, [SWAPPED]),
    "the code alone, in place of the reference": (CODE, "", [SWAPPED]),
    "the reference twice": (REFERENCE, REFERENCE, [SWAPPED]),
    "misspelt": (f"{REFERENCE[:-1]}K", f"U{CODE[1:]}", [MISSPELT.format("reference"), MISSPELT.format("code")]),
    "right in shape": (REFERENCE, CODE, [NO_MATCH]),
    "an old code": (REFERENCE, OLD_CODE, [NO_MATCH]),
}


def told_by(page: str) -> list[str]:
    summary = page.partition('role="alert"')[2].partition("</ul>")[0]
    return [html.unescape(each) for each in re.findall("<a [^>]*>(.*?)</a>", summary)]


@pytest.mark.parametrize("path", ["/concerns", "/concerns/additions"])
@pytest.mark.parametrize("what", TYPED)
def test_each_mistake_has_its_own_sentence_and_what_was_typed_stays(client: TestClient, path: str, what: str) -> None:
    reference, code, said = TYPED[what]

    page = client.post(path, data={"reference": reference, "code": code, "narrative": "More."})

    assert page.status_code == 404
    assert told_by(page.text) == said
    for name, typed in (("reference", reference), ("code", code)):
        field = re.findall(f'<input [^>]*name="{name}"[^>]*>', page.text)[0]
        assert f'value="{typed}"' in field
    assert page.headers["cache-control"] == "no-store"


def test_a_right_code_is_never_told_to_be_wrong_by_its_shape(client: TestClient) -> None:
    receipt = raise_concern(client)
    typed = {"reference": receipt["reference"].lower(), "code": f" {receipt['status_token'].replace('-', ' ')} "}

    assert client.post("/concerns", data=typed).status_code == 200


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("", "Enter your code."),
        ("hello", OF_LENGTH.format("code", 16, 5)),
        (f"U{CODE[1:]}", MISSPELT.format("code")),
        (CODE, "No saved form has this code."),
    ],
)
def test_a_saved_form_says_the_same_of_its_code(client: TestClient, code: str, said: str) -> None:
    page = client.post("/concerns/saved", data={"code": code})

    assert page.status_code == 404
    assert told_by(page.text)[0].startswith(said)
    assert f'value="{code}"' in page.text


@pytest.mark.parametrize("prefix", ["/cy", "/pl", "/ur"])
def test_it_is_said_in_the_language_of_the_page(client: TestClient, prefix: str) -> None:
    for reference, code, said in TYPED.values():
        told = told_by(client.post(f"{prefix}/concerns", data={"reference": reference, "code": code}).text)

        assert len(told) == len(said)
        assert set(told) & set(said) == set()
