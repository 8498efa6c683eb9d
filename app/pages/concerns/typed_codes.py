"""What is wrong with a typed reference or code, by its shape. This says nothing of which concerns exist."""

import re

from app.models.concerns.status_tokens import CROCKFORD, standard_token
from app.models.references import find_reference
from app.pages.languages import gettext, to_translate

EXPECTED = {
    "reference": (
        12,
        to_translate("Enter your reference."),
        to_translate("Your reference has {} letters and digits. You typed {}."),
        to_translate("There is a mistake in your reference. Check each letter and digit."),
    ),
    "code": (
        16,
        to_translate("Enter your code."),
        to_translate("Your code has {} letters and digits. You typed {}."),
        to_translate("There is a mistake in your code. Check each letter and digit."),
    ),
}
SWAPPED = to_translate("These look swapped. Type the reference first, then the code.")
LENGTH_OF_OLD_CODES = range(32, 60)
CODE = re.compile(rf"(?:[{CROCKFORD}]{{4}}-){{3}}[{CROCKFORD}]{{4}}")


def faults_in(reference: str, code: str, *, otherwise: str) -> dict[str, str]:
    """By field, in the language of the page. `otherwise` if both look right."""
    if find_reference(code) or CODE.fullmatch(standard_token(reference)):
        return {"reference": gettext(SWAPPED)}
    faults = {name: fault_in(name, typed) for name, typed in (("reference", reference), ("code", code))}
    return {name: fault for name, fault in faults.items() if fault} or {"reference": gettext(otherwise)}


def fault_in(name: str, typed: str) -> str:
    """Empty if it looks right."""
    length, missing, of_other_length, misspelt = EXPECTED[name]
    count = sum(map(str.isalnum, typed))
    if find_reference(typed) or CODE.fullmatch(standard_token(typed)) or count in LENGTH_OF_OLD_CODES:
        return ""
    return gettext(missing if not count else misspelt if count == length else of_other_length).format(length, count)
