"""Five mistakes of an editor, each planted into the words of the first edition."""

from dataclasses import dataclass

from tests.support.publishing import SLUG

NEXT_FILE = f"{SLUG}/2.yaml"
WRONG_FOLDER = "child-sexual-explotation/2.yaml"


@dataclass(frozen=True)
class Planted:
    """A mistake: what is replaced in the file, what is said of it, and the line that is named."""

    replaced: tuple[str, str]
    sentence: str
    line: str
    name: str = NEXT_FILE


MISTAKES = {
    "a misspelt key": Planted(
        ("gss_code:", "gss_cod:"),
        "`publisher` has the key `gss_cod`, which is not known here. Did you mean `gss_code`?",
        "  gss_cod: E06000022",
    ),
    "a repeated id": Planted(
        ("id: secrecy", "id: missing-or-unexplained-absence"),
        "Indicator 2 has the id of indicator 1: give it one of its own",
        "  - id: missing-or-unexplained-absence",
    ),
    "a wrong number": Planted(
        ("+441225396312", "+441225396321"),
        "Contact 1, phone 1: `number` and `display` are two different numbers: correct the one that is wrong",
        "      - number: '+441225396321'",
    ),
    "a text that is missing": Planted(
        ("text: child trafficking", "text:"), "Linked risk 1 needs some text", "    text:"
    ),
    "a wrong folder": Planted(
        ("First edition", "Second edition"),
        "no guide `child-sexual-explotation` is published, and the first edition of a new guide is `1.yaml`. If you "
        f"mean `{SLUG}`, move the file to the folder `{SLUG}`.",
        "",
        WRONG_FOLDER,
    ),
}
