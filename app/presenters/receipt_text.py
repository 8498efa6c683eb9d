"""A receipt as text to keep: what a person needs first, and the signed part last."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.models.guidance.contacts import Reachable
from app.presenters.contact_text import option_text

WIDTH = 76


@dataclass(frozen=True, kw_only=True)
class KeptReceipt:
    """What stands in the text. Times are in words; `code` is empty where it is not known."""

    reference: str
    code: str
    guide: str
    received_at: str
    acknowledge_by: str
    come_back_by: str
    next_steps: Sequence[str]
    numbers: Sequence[Reachable]
    address: str
    signed: str


def receipt_text(receipt: KeptReceipt) -> str:
    """Return the text, of lines that fit on a narrow page. Only the signed part, which comes last, is one long line."""
    return "\n".join(_lines(receipt)) + "\n"


def _lines(receipt: KeptReceipt) -> Iterator[str]:
    yield from ("WE HAVE YOUR CONCERN", "")
    yield f"Reference: {receipt.reference}"
    if receipt.code:
        yield f"Code:      {receipt.code}"
    yield f"Sent:      {receipt.received_at}"
    yield f"Reply by:  {receipt.acknowledge_by}"
    yield f"Come back: {receipt.come_back_by}"
    yield from _paragraph(f"Guide:     {receipt.guide}", hanging=" " * 11)
    yield from ("", "WHAT HAPPENS NEXT", "")
    for step in receipt.next_steps:
        yield from _paragraph(f"- {step}", hanging="  ")
    yield from ("", "WHO TO CALL", "")
    for contact in receipt.numbers:
        yield from _paragraph(f"- {contact.name}: {_numbers(contact)}", hanging="  ")
    yield from _paragraph("- When you call, give the reference.", hanging="  ")
    yield from ("", "THE SIGNED RECEIPT", "")
    yield from _paragraph(
        f"It proves when the concern was received, and shows nothing of it. It is checked with {receipt.address}."
    )
    yield from ("", receipt.signed)


def _numbers(contact: Reachable) -> str:
    return " or ".join(phone.display + option_text(phone) for phone in contact.phones)


def _paragraph(text: str, *, hanging: str = "") -> list[str]:
    return textwrap.wrap(text, WIDTH, subsequent_indent=hanging, break_long_words=False, break_on_hyphens=False)
