"""Responses to a reporter: the receipt, the result of a check, and the status."""

import datetime as dt
import secrets
from enum import StrEnum

from pydantic import Field

from app.models.base import ResponseModel, Slug, UtcDateTime
from app.models.code_lists import Signpost
from app.models.contacts import Contact
from app.models.links import Links


class ConcernState(StrEnum):
    """State of the duty team's work."""

    RECEIVED = "received"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


EXAMPLE_REFERENCE = "4F7K-926W-0X3R"
READ_AT = "When the reporter first read the message; null until then."


class ConcernIdentity(ResponseModel):
    """The reference, state and time of receipt of a concern."""

    reference: str = Field(description="Short, and easy to read out on the phone.", examples=[EXAMPLE_REFERENCE])
    state: ConcernState = Field(description="State of the duty team's work.", examples=["received"])
    received_at: UtcDateTime = Field(description="When the concern was stored.")
    test: bool = Field(
        default=False,
        description="True for a test: no social worker acts on it, and it is erased after a day.",
        examples=[False],
    )


PROMISED = Field(
    default=True,
    examples=[True],
    description="False if the reporter said that there is or may be danger, and the council has set no time for that. "
    "Then do not show `acknowledge_by` to the reporter: tell them not to wait, and to call.",
)


class EditionPin(ResponseModel):
    """The edition that a concern is about, and when to expect an acknowledgement."""

    acknowledge_by: UtcDateTime = Field(
        examples=["2026-11-25T09:30:00Z"],
        description="Latest time by which a social worker should acknowledge the concern: within one working day in "
        "England "
        "or, if a child is or may be in immediate danger, within the minutes or hours set by the council, day and "
        "night. In danger, call: do not wait. If it has not been acknowledged by then, call the duty team.",
    )
    acknowledge_by_promised: bool = PROMISED
    guide: Slug = Field(examples=["child-sexual-exploitation"], description="The guide of the concern.")
    edition: int = Field(examples=[1], description="The edition of the concern: the one that the reporter was shown.")


class Progress(ResponseModel):
    """The steps that the duty team has taken."""

    acknowledged_at: UtcDateTime | None = Field(description="When a social worker acknowledged it.", examples=[None])
    closed_at: UtcDateTime | None = Field(description="Time of closing.", examples=[None])
    outcome: str | None = Field(
        description="The outcome, if the team shares it: a code of the list `outcome`.", examples=[None]
    )
    outcome_text: str | None = Field(
        default=None,
        description="Meaning of the outcome for the reporter, in plain sentences; null until the concern is closed. If "
        "the team shares the outcome, it is the sentence of that code.",
        examples=[None],
    )


class Proof(ResponseModel):
    """The status token and the signed receipt, which the reporter should store."""

    status_token: str = Field(
        description="Gives access to the status of this concern. Returned only once, and to retries with the same "
        "idempotency "
        "key. Four groups of four letters and digits (Crockford base 32, 80 random bits), easy to write down and "
        "read aloud: case, spaces and hyphens do not matter. Older, longer tokens still work.",
        examples=["7K3M-9QXT-2W8R-VB5N"],
    )
    receipt: str = Field(
        description="Signed receipt (JWS, EdDSA). Verify it offline with /.well-known/jwks.json.",
        examples=["eyJhbGciOiJFZERTQSJ9.eyJqdGkiOiI0RjdLIn0.c2lnbmF0dXJl"],
    )


class Help(ResponseModel):
    """The signposts, contacts and next steps in every response about an accepted concern."""

    signposts: tuple[Signpost, ...] = Field(
        description="999 first, then other national and local contacts that belong to no edition."
    )
    next_steps: tuple[str, ...] = Field(
        description="What happens next, as sentences to show to the reporter.",
        examples=[["If a child is in immediate danger, call 999 now."]],
    )
    contacts: tuple[Contact, ...] = Field(
        description="The contacts of the guide's current edition, which may be newer than the edition of the concern."
    )
    links: Links = Field(examples=[{"form": "/v1/concerns/form"}])


class GuideChoice(ResponseModel):
    """Whether the reporter chose the guide."""

    guide_named: bool = Field(
        default=True,
        description="True if the concern named its guide. Otherwise `guide` is the one whose current edition has "
        "every item "
        "named in the concern or, failing that, the default guide.",
        examples=[True],
    )


class AlsoCall(ResponseModel):
    """Whom the reporter can call beside the guide's contacts, by what the concern says."""

    also_call: tuple[Signpost, ...] = Field(
        default=(),
        description="The council where a child lives, if it is another one; the designated officer, if an adult who "
        "works with children is named.",
        examples=[[]],
    )


class ComeBack(ResponseModel):
    """When the reporter should look again."""

    come_back_by: UtcDateTime | None = Field(
        default=None,
        examples=["2026-11-26T09:30:00Z"],
        description="Check the status by this time, with the reference and status token: the duty team may have sent "
        "a message.",
    )


class CheckResponse(AlsoCall, Help, ComeBack, GuideChoice, EditionPin):
    """The concern is valid. Nothing was stored."""

    kept: bool = Field(default=False, description="Always false: nothing is stored.", examples=[False])


class AdditionStatus(ResponseModel):
    """The status of an addition, which is acknowledged separately."""

    number: int = Field(description="Number, from 1.", examples=[1])
    added_at: UtcDateTime = Field(description="Time of storage.")
    acknowledge_by: UtcDateTime = Field(
        examples=["2026-11-25T09:30:00Z"], description="Latest time by which it should be acknowledged."
    )
    acknowledge_by_promised: bool = PROMISED
    acknowledged_at: UtcDateTime | None = Field(
        description="When a social worker acknowledged the addition; null until then.", examples=[None]
    )


class MessageStatus(ResponseModel):
    """A message from the duty team. Its text is at `links.messages`."""

    number: int = Field(description="Number, from 1.", examples=[1])
    sent_at: UtcDateTime = Field(description="Time when the message was sent.")
    read_at: UtcDateTime | None = Field(description=READ_AT, examples=[None])
    answered_at: UtcDateTime | None = Field(
        default=None,
        description="When the reporter first added something after reading it; null until then.",
        examples=[None],
    )


class ConcernStatus(Help, ComeBack, Progress, EditionPin, ConcernIdentity):
    """The status of a concern."""

    additions: tuple[AdditionStatus, ...] = Field(description="Additions, in order of arrival.")
    messages: tuple[MessageStatus, ...] = Field(
        default=(),
        description="Messages from the duty team. Their text is at `links.messages`.",
        examples=[[]],
    )


class Receipt(AlsoCall, Help, ComeBack, GuideChoice, Proof, EditionPin, ConcernIdentity):
    """The concern is stored on disk, encrypted for the duty team. They have not acknowledged it yet."""


# References of concerns: short, unguessable, easy to read aloud, with a check character that finds typing errors.


ALPHABET = "02346789FKMRWXYZ"
DRAWN = 11
GROUP = 4
BURST = rf"20[0-9]{{2}}-[0-9]{{2}}-[0-9]{{2}}-[{ALPHABET}]{{{GROUP}}}"
"""What the mark of a burst looks like: a day and four characters."""
EXAMPLE_BURST = "2026-11-24-R7KX"
_IN_ALPHABET = str.maketrans("0123456789abcdef", ALPHABET)


def new_reference() -> str:
    """Return a new reference like `4F7K-926W-0X3R`: 44 random bits and a check character."""
    drawn = secrets.token_hex(DRAWN)[:DRAWN].translate(_IN_ALPHABET)
    return _group(drawn + _check_character(drawn))


def burst_mark(day: dt.date, digest: bytes) -> str:
    """Return the mark of a source on that day: of its digest only so much that thousands of sources fit it."""
    return f"{day}-{digest.hex()[:GROUP].translate(_IN_ALPHABET)}"


def find_reference_start(typed: str) -> str | None:
    """Return how references start that start so, in the standard form; None if none does, or it is too short."""
    plain = _plain(typed)
    if not GROUP <= len(plain) <= DRAWN + 1 or not set(plain) <= set(ALPHABET):
        return None
    return _group(plain)


def find_reference(typed: str) -> str | None:
    """Return the typed reference in its standard form, or None if it is not one. Case and grouping do not matter."""
    plain = _plain(typed)
    if len(plain) != DRAWN + 1 or not set(plain) <= set(ALPHABET) or _check_character(plain[:DRAWN]) != plain[DRAWN]:
        return None
    return _group(plain)


def _check_character(drawn: str) -> str:
    """Return the check character of ISO 7064: its hybrid system, modulo 17 and 16."""
    size = len(ALPHABET)
    remainder = size
    for character in drawn:
        remainder = ((remainder + ALPHABET.index(character)) % size or size) * 2 % (size + 1)
    return ALPHABET[(1 - remainder) % size]


def _plain(typed: str) -> str:
    return "".join(typed.upper().replace("O", "0").replace("-", " ").split())


def _group(plain: str) -> str:
    return "-".join(plain[start : start + GROUP] for start in range(0, len(plain), GROUP))


# Status tokens: codes with which a reporter follows a concern, short enough to write down and to read aloud.


CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CHARACTERS = frozenset(CROCKFORD)
_OF_EACH_BYTE = (CROCKFORD * 8).encode()  # each character for 8 of the 256 bytes
_LENGTH = 16
_LOOK_ALIKE = str.maketrans("OIL", "011")
_JOINTS = str.maketrans("", "", "- \t")


def new_status_token() -> str:
    """Return a new token like `7K3M-9QXT-2W8R-VB5N`: 80 random bits."""
    return _group(secrets.token_bytes(_LENGTH).translate(_OF_EACH_BYTE).decode())


def standard_token(typed: str) -> str:
    """Return the typed token in its standard form. Another, such as an older one, stays as typed."""
    plain = typed.upper().translate(_JOINTS).translate(_LOOK_ALIKE)
    is_short = len(plain) == _LENGTH and _CHARACTERS.issuperset(plain)
    return _group(plain) if is_short else typed
