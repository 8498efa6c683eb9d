"""Phone numbers and email addresses in the text of a concern can be pressed; other numbers are left alone."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from app.pages.contact_links import linked

SCRIPT = Path(__file__).parents[2] / "desk_script" / "src" / "contact_links.js"
LINKS = {
    "Call 01632 960001.": ["tel:01632960001"],
    "(01632) 960001 or 07700 900001": ["tel:01632960001", "tel:07700900001"],
    "+44 (0)1632 960001": ["tel:+441632960001"],
    "+44 7700 900001": ["tel:+447700900001"],
    "Childline is 0800 1111, free": ["tel:08001111"],
    "alex@example.org, <b>robin.e@mail.example.org</b>.": [
        "mailto:alex@example.org",
        "mailto:robin.e@mail.example.org",
    ],
    "Born 01-02-2012 or 01 02 2012, 2012-02-01, 01/02/2012": [],
    "NHS 943 476 5919, ID 0123456789012345678, v0.01632 960001": [],
    "@example, a@b, 07700": [],
}


@pytest.mark.parametrize(("text", "links"), LINKS.items())
def test_numbers_and_addresses_become_links_and_nothing_else(text: str, links: list[str]) -> None:
    html = linked(text)

    assert [each.partition('"')[0] for each in html.split('<a href="')[1:]] == links
    assert html.striptags() == text.replace("<b>", "").replace("</b>", "") or "<b>" in text
    assert "<b>" not in html


def test_the_desk_s_script_finds_the_same_links() -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    source = SCRIPT.read_text("utf-8").replace("export ", "")
    program = f"{source}\nfor (const text of {json.dumps([*LINKS])}) console.log(JSON.stringify(contactPieces(text)));"

    told = subprocess.run([node, "-e", program], capture_output=True, check=True, text=True, timeout=60).stdout

    for line, (text, links) in zip(told.splitlines(), LINKS.items(), strict=True):
        pieces = json.loads(line)
        assert [each["address"] for each in pieces if "address" in each] == links
        assert "".join(each["words"] for each in pieces) == text
