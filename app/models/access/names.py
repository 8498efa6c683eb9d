"""Rules for the names of people and clients: a name must be printable, and must not look like another name."""

import unicodedata
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic import Field as pydantic_Field

from app.errors import CodedValueError, FaultCode

MAX_NAME_LENGTH = 96  # two names, with a prefix and a slash, fit into the 200 characters of an audit log search
OWN_ACTORS = frozenset({"operator", "retention", "service", "keyholder", "passkey", "passkeydesk", "openid", "norole"})
"""Names and prefixes that the audit log uses for the service itself, in the form in which names are compared."""
SEPARATORS = frozenset("/\\<>:;|")
LETTERS = ("Lu", "Ll", "Lt", "Lo")
"""Letters that belong to one script. Marks and modifier letters, such as the okina, may be used with any script."""
WRITTEN_TOGETHER = (
    frozenset({"CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"CJK", "HANGUL"}),
    frozenset({"CJK", "BOPOMOFO"}),
)
"""Scripts that one name may combine (Unicode Technical Standard 39, section 5.1)."""


def is_recordable(name: object) -> bool:
    """Return True for printable text of 1 to 96 characters, without spaces at the ends."""
    return isinstance(name, str) and 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable() and name == name.strip()


def find_name_refusal(name: str) -> str | None:
    """Return a reason that continues "a person's name ...", or None if `name` cannot be mistaken for another.

    Only for new people and clients: stored names, and names from an identity provider, are accepted unchanged.
    """
    plain = "".join(each for each in name.casefold() if each.isalnum())
    if plain in OWN_ACTORS:
        return "is one by which the audit log names this service itself"
    if set(name) & SEPARATORS:
        return f"has no {' '.join(sorted(SEPARATORS))}: the audit log separates names with them"
    if unicodedata.normalize("NFKC", name) != unicodedata.normalize("NFC", name):
        return "has no letters that are other letters in another form"
    letters = [each for each in unicodedata.normalize("NFC", name) if unicodedata.category(each) in LETTERS]
    scripts = {unicodedata.name(each, "UNNAMED").split()[0] for each in letters}
    if len(scripts) > 1 and not any(scripts <= each for each in WRITTEN_TOGETHER):
        return f"is in one script, not in several ({', '.join(sorted(map(str.title, scripts)))})"
    return None


def _check_name(name: str) -> str:
    if not is_recordable(name):
        raise CodedValueError(FaultCode.WRONG_FORM, "must be printable text without leading or trailing spaces")
    return name


PersonName = Annotated[
    str,
    StringConstraints(min_length=1, max_length=MAX_NAME_LENGTH),
    AfterValidator(_check_name),
    pydantic_Field(description="The person's name, as in the audit log.", examples=["Robin Example"]),
]
