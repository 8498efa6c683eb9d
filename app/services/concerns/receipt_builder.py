"""Receipts: the responses for a reporter when a concern is stored, is checked, or its status is read."""

import datetime as dt
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Row

from app.models import links
from app.models.base import format_utc
from app.models.concerns.addition import AdditionReceipt
from app.models.concerns.concern import FORM_VERSION
from app.models.concerns.receipts import AdditionStatus, CheckResponse, ConcernState, ConcernStatus, MessageStatus
from app.models.concerns.references import new_reference
from app.models.concerns.status_tokens import new_status_token
from app.models.concerns.tables import ConcernRow
from app.models.entries import MessageEntry
from app.models.guidance.contacts import Contact
from app.models.guidance.signposts import CALL_999_FIRST, Signpost
from app.services.concerns.edition_resolver import PinnedEdition
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.concerns.working_days import LONDON, WorkingDays
from app.services.guidance.reference_data import ReferenceData
from app.store.contents import MAX_CACHED_EDITIONS
from app.store.editions import EditionKey

_CONTACTS = TypeAdapter(tuple[Contact, ...])
_SIGNPOSTS = TypeAdapter(tuple[Signpost, ...])

CONCERN_STORED = "We have your concern. This is not yet an answer from a social worker."
NOTHING_STORED = "This was a check: nothing was kept. To raise the concern, send it to /v1/concerns."
ADDITION_STORED = "We have what you added to your concern."
TEST = "TEST: this is a test. No social worker acts on it, and it is erased after a day."
WHAT_WAS_ADDED = "what you added"
MESSAGE_WAITS = "The duty team has left a message for you. Please read it, and answer by adding to your concern."
HOW_TO_FOLLOW = "Keep the reference and the status token. With both you can check what is happening."


class NewReceipt(NamedTuple):
    """The receipt of a new concern: what the concern's row needs of it, and the whole `Receipt` as JSON."""

    reference: str
    status_token: str
    received_at: dt.datetime
    acknowledge_by: dt.datetime
    json: bytes


class _EditionMembers(NamedTuple):
    """The members of a receipt that are the same for every concern about an edition, as finished JSON."""

    signposts: orjson.Fragment
    contacts: orjson.Fragment


@dataclass(frozen=True)
class ReceiptBuilder:
    """Builds receipts and statuses, with next steps in plain sentences."""

    signer: ReceiptSigner
    working_days: WorkingDays
    reference_data: ReferenceData
    come_back_days: int = 2
    _members: dict[EditionKey, _EditionMembers] = field(default_factory=dict)

    def build_check_response(self, pinned: PinnedEdition, *, at: dt.datetime) -> CheckResponse:
        """Return the response to a check, which stores nothing."""
        key, contacts, due = pinned.key, pinned.content.contacts, self.working_days.one_working_day_after(at)
        return CheckResponse(
            next_steps=(CALL_999_FIRST, NOTHING_STORED, _next_step(due, contacts, at)),
            links={"self": links.CONCERN_CHECK, "submit": links.CONCERNS} | _links(key),
            guide_named=pinned.guide_named,
            come_back_by=self.working_days.after(at, days=self.come_back_days),
            **self._common_fields(key, contacts, due),
        )

    def build_receipt(
        self, pinned: PinnedEdition, submission: bytes, *, test: bool = False, at: dt.datetime
    ) -> NewReceipt:
        """Return a signed receipt with a new reference and a new status token; `submission` is canonical JSON.

        That of a test says so, in its next steps and in what is signed.
        """
        reference, status_token = new_reference(), new_status_token()
        key, contacts, due = pinned.key, pinned.content.contacts, self.working_days.one_working_day_after(at)
        pin = {"received_at": format_utc(at), "guide": key.guide, "edition": key.number}
        claims = {
            "jti": reference,
            "iat": int(at.timestamp()),
            **pin,
            "guide_named": pinned.guide_named,
            "form_version": FORM_VERSION,
            "submission_sha256": hashlib.sha256(submission).hexdigest(),
        } | ({"test": True} if test else {})
        back = self.working_days.after(at, days=self.come_back_days)
        expected = (TEST,) if test else (CONCERN_STORED, _next_step(due, contacts, at))
        afterwards = (HOW_TO_FOLLOW,) if test else (HOW_TO_FOLLOW, _come_back(back.astimezone(LONDON).date()))
        members = self._members_of(pinned)
        receipt = {  # in the order of the fields of `Receipt`
            "reference": reference,
            "state": ConcernState.RECEIVED.value,
            "received_at": pin["received_at"],
            "acknowledge_by": format_utc(due),
            "guide": key.guide,
            "edition": key.number,
            "status_token": status_token,
            "receipt": self.signer.sign(claims),
            "guide_named": pinned.guide_named,
            "come_back_by": format_utc(back),
            "signposts": members.signposts,
            "next_steps": (CALL_999_FIRST, *expected, *afterwards),
            "contacts": members.contacts,
            "links": _own_links(reference) | _links(key),
        }
        return NewReceipt(reference, status_token, at, due, orjson.dumps(receipt))

    def build_status(
        self,
        row: ConcernRow,
        additions: Sequence[Row[Any]],
        messages: Sequence[MessageEntry],
        contacts: Sequence[Contact],
        *,
        at: dt.datetime,
    ) -> ConcernStatus:
        """Return the status of the concern, of what was added to it, and of messages to its reporter."""
        pinned = EditionKey(row.guide, row.edition)
        expected = [_next_step(row.acknowledge_by, contacts, at)] if row.state == ConcernState.RECEIVED else []
        if row.addition_acknowledge_by is not None:
            expected.append(_next_step(row.addition_acknowledge_by, contacts, at, what=WHAT_WAS_ADDED))
        if any(message.read_at is None for message in messages):
            expected.append(MESSAGE_WAITS)
        if row.test:
            expected = [TEST]
        return ConcernStatus(
            reference=row.reference,
            state=ConcernState(row.state),
            received_at=row.received_at,
            acknowledged_at=row.acknowledged_at,
            closed_at=row.closed_at,
            outcome=row.outcome if row.outcome_shared else None,
            additions=tuple(
                AdditionStatus(
                    number=addition.number,
                    added_at=addition.received_at,
                    acknowledge_by=addition.acknowledge_by,
                    acknowledged_at=addition.acknowledged_at,
                )
                for addition in additions
            ),
            messages=tuple(
                MessageStatus(number=message.number, sent_at=message.sent_at, read_at=message.read_at)
                for message in messages
            ),
            come_back_by=self.working_days.after(row.received_at, days=self.come_back_days),
            next_steps=(CALL_999_FIRST, *expected),
            links=_own_links(row.reference) | _links(pinned),
            **self._common_fields(pinned, contacts, row.acknowledge_by),
        )

    def build_addition_receipt(
        self, row: ConcernRow, contacts: Sequence[Contact], *, at: dt.datetime
    ) -> AdditionReceipt:
        """Return the receipt of an addition to the concern."""
        due = self.working_days.one_working_day_after(at)
        expected = (TEST,) if row.test else (ADDITION_STORED, _next_step(due, contacts, at, what=WHAT_WAS_ADDED))
        return AdditionReceipt(
            reference=row.reference,
            state=ConcernState(row.state),
            received_at=row.received_at,
            added_at=at,
            acknowledge_by=due,
            next_steps=(CALL_999_FIRST, *expected),
            signposts=self.reference_data.signposts,
            contacts=tuple(contacts),
            links={"self": links.concern_path(row.reference)} | _links(EditionKey(row.guide, row.edition)),
        )

    def _members_of(self, pinned: PinnedEdition) -> _EditionMembers:
        """Return the edition's members, serialised once: an edition never changes, and signposts change at a start."""
        found = self._members.get(pinned.key)
        if found is None:
            if len(self._members) >= MAX_CACHED_EDITIONS:
                self._members.clear()
            contacts = _CONTACTS.dump_json(pinned.content.contacts)
            signposts = _SIGNPOSTS.dump_json(self.reference_data.signposts)
            found = _EditionMembers(orjson.Fragment(signposts), orjson.Fragment(contacts))
            self._members[pinned.key] = found
        return found

    def _common_fields(self, pinned: EditionKey, contacts: Sequence[Contact], due: dt.datetime) -> dict[str, Any]:
        return {
            "guide": pinned.guide,
            "edition": pinned.number,
            "acknowledge_by": due,
            "signposts": self.reference_data.signposts,
            "contacts": tuple(contacts),
        }


def _own_links(reference: str) -> links.Links:
    return {"self": links.concern_path(reference), "messages": links.messages_path(reference)}


def _links(pinned: EditionKey) -> links.Links:
    return {
        "form": links.CONCERN_FORM,
        "guide": links.guide_path(pinned.guide),
        "edition": links.edition_path(*pinned),
        "signposts": links.SIGNPOSTS,
    }


@lru_cache(maxsize=64)
def _in_words(minute: dt.datetime) -> str:
    local = minute.astimezone(LONDON)
    return local.strftime(f"%A {local.day} %B %Y at %H:%M")


def _next_step(due: dt.datetime, contacts: Sequence[Contact], at: dt.datetime, *, what: str = "it") -> str:
    when = _in_words(due.replace(second=0, microsecond=0))
    if at > due:
        return f"A social worker should have acknowledged {what} by {when}. Please {_number_to_call(contacts)}"
    return f"A social worker should acknowledge {what} by {when}. If none does, {_number_to_call(contacts)}"


@lru_cache(maxsize=64)
def _come_back(by: dt.date) -> str:
    day = by.strftime(f"%A {by.day} %B %Y")
    return f"Please come back with both by {day}: the duty team may have left a question for you."


def _number_to_call(contacts: Sequence[Contact]) -> str:
    first = next((contact for contact in contacts if contact.phones), None)
    if first is None:
        return "use the guide's contacts below."
    numbers = " or ".join(phone.display for phone in first.phones)
    option = f" (option {first.phones[0].option})" if first.phones[0].option else ""
    return f"call the {first.name} on {numbers}{option}."
