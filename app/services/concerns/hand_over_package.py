"""The file that is handed over: a concern and its additions, opened and sealed to the key of another body."""

import datetime as dt
from collections.abc import Sequence
from typing import Any

import orjson
import pyrage
from pyrage import x25519

from app.errors import ValidationFailed
from app.faults import FieldError
from app.models.base import format_utc

PACKAGE_KIND = "guidance-hand-over"
NOT_A_RECIPIENT = "This is not an age recipient (age1...)."


def parse_recipient(text: str) -> x25519.Recipient:
    """Return the recipient. Raises `ValidationFailed` if the text is none."""
    try:
        return x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        raise ValidationFailed([FieldError(("recipient",), NOT_A_RECIPIENT)]) from None


def seal_package(
    concern: dict[str, Any],
    additions: Sequence[dict[str, Any]],
    *,
    recipient: x25519.Recipient,
    body: str,
    reason: str,
    at: dt.datetime,
) -> bytes:
    """Return the age file of the opened concern and additions. The plain `age` program opens it: it holds JSON."""
    document = {
        "kind": PACKAGE_KIND,
        "handed_over_at": format_utc(at),
        "body": body,
        "reason": reason,
        "concern": concern,
        "additions": list(additions),
    }
    sealed: bytes = pyrage.encrypt(orjson.dumps(document, option=orjson.OPT_INDENT_2), [recipient])
    return sealed
