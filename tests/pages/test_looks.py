"""One system for all pages: four sizes of letters, one scale of spaces, and colours that can be read on each other."""

import re
from collections.abc import Iterator

import pytest

from app.pages.page import PAGES_DIR, STATIC_DIR
from tests.support.colours import contrast
from tests.support.components import SAMPLES

SHEETS = {file.name: file.read_text(encoding="utf-8") for file in sorted(STATIC_DIR.glob("*.css"))}
RULES = {name: re.sub(r"/\*[^*]*\*/", "", text) for name, text in SHEETS.items()}
TOKENS = RULES["tokens.css"]
TEMPLATES = PAGES_DIR / "templates"
COMPONENTS = TEMPLATES / "components.html"
WRITTEN_OUT = re.compile(r"<button|class=\"(?:button|question|box|alarm|panel|problem|card|facts)[\" ]")
SIZES = ("small", "text", "head", "large")
SPACES = {"0", ".125rem", ".25rem", ".5rem", ".75rem", "1rem", "1.5rem", "2rem", "3rem"}
SPACE = r"(?<![\w-])(?:margin|padding|gap|row-gap|column-gap)(?:-[a-z-]+)?:([^;}]+)"
LENGTH = r"(?<![\w.#-])-?(\d*\.?\d+(?:rem|px)?)(?![\w.%])"
COLOUR = r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch|lab)\("
TEXTS = {
    "page": ("words", "quiet", "link", "alarm-words"),
    "soft": ("words", "quiet", "link", "alarm-words"),
    "field": ("words", "quiet"),
    "alarm": ("on-alarm",),
    "done": ("on-done",),
    "focus": ("on-focus",),
    "added": ("on-added",),
    "removed": ("on-removed",),
}
"""Which words stand on which ground: 4.5 to 1, by WCAG 1.4.3."""
EDGES = {"page": ("edge", "alarm"), "field": ("edge",), "soft": ("edge",)}
"""What must be seen to know that there is a field, a button or a mark: 3 to 1, by WCAG 1.4.11."""
DECORATIVE = {"line", "paper"}
"""A line between rows, and white paper under a picture: nobody has to see either."""
each_look = pytest.mark.parametrize("look", ["light", "dark"])


def colours(look: str) -> dict[str, str]:
    light, dark = re.findall(r":root\{([^}]*)\}", TOKENS)[:2]
    found = re.findall(r"--([a-z-]+):(#[0-9a-f]+)", light + (dark if look == "dark" else ""))
    return dict(found)


def test_the_letters_of_all_pages_have_four_sizes() -> None:
    allowed = {f"var(--{size})" for size in SIZES} | {"inherit", "100%"}
    found = {
        (name, size.removesuffix("!important"))
        for name, rules in RULES.items()
        for size in re.findall(r"font-size:([^;}]+)", rules) + re.findall(r"[{;]font:([^;}/ ]+)", rules)
    }

    assert {size for _, size in found} >= {f"var(--{size})" for size in SIZES}
    assert [each for each in found if each[1] not in allowed] == []


def on_screen(rules: str) -> Iterator[str]:
    """Yield the rules without those for paper, which has points."""
    depth, skipped = 0, 0
    for part in re.split(r"(?<=[{}])", rules):
        if not skipped and part.strip().startswith("@media print"):
            skipped = depth + 1
        if not skipped:
            yield part
        depth += part.count("{") - part.count("}")
        if depth < skipped:
            skipped = 0


def test_the_spaces_of_all_pages_have_one_scale() -> None:
    found = {
        (name, length)
        for name, rules in RULES.items()
        for value in re.findall(SPACE, "".join(on_screen(rules)))
        for length in re.findall(LENGTH, value)
    }

    assert {length for _, length in found} == SPACES | ({"1px"} & {length for _, length in found})
    assert {name for name, length in found if length == "1px"} <= {"pages.css"}  # what only screen readers say


def test_every_colour_stands_among_the_tokens() -> None:
    assert {name: re.findall(COLOUR, rules) for name, rules in RULES.items() if name != "tokens.css"} == {
        name: [] for name in RULES if name != "tokens.css"
    }


def test_every_colour_that_is_used_is_defined_and_every_defined_one_used() -> None:
    council = {"band", "on-band", "button", "on-button"}
    measured = {"bar"}
    used = {name for rules in RULES.values() for name in re.findall(r"var\(--([a-z-]+)", rules)}

    assert used == {*re.findall(r"--([a-z-]+):", TOKENS)} | council | measured


@each_look
def test_words_can_be_read_on_their_ground(look: str) -> None:
    found = colours(look)

    too_low = {
        (text, ground): round(contrast(found[text], found[ground]), 2)
        for ground, texts in TEXTS.items()
        for text in texts
        if contrast(found[text], found[ground]) < 4.5
    }
    assert too_low == {}


@each_look
def test_edges_can_be_seen_on_their_ground(look: str) -> None:
    found = colours(look)

    too_low = {
        (edge, ground): round(contrast(found[edge], found[ground]), 2)
        for ground, edges in EDGES.items()
        for edge in edges
        if contrast(found[edge], found[ground]) < 3
    }
    assert too_low == {}


def test_no_colour_is_left_out_of_the_table() -> None:
    in_table = {*TEXTS, *EDGES}.union(*TEXTS.values(), *EDGES.values())

    assert colours("light").keys() == in_table | DECORATIVE


def test_every_component_is_on_the_page_of_samples() -> None:
    macros = set(re.findall(r"\{% macro (\w+)\(", COMPONENTS.read_text(encoding="utf-8")))

    assert {"button", "field", "banner", "card", "facts"} < macros
    assert macros - set(re.findall(r"\bui\.(\w+)\(", SAMPLES)) == set()


def test_the_pages_of_the_public_have_no_button_field_banner_card_or_list_of_facts_but_by_its_macro() -> None:
    pages = [each for each in TEMPLATES.glob("*.html") if each != COMPONENTS and not each.name.startswith("desk_")]
    found = {each.name: WRITTEN_OUT.findall(each.read_text(encoding="utf-8")) for each in pages}

    assert len(pages) > 30
    assert {name: written for name, written in found.items() if written} == {}
