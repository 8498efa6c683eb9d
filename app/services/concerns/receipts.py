"""Responses for a reporter: the receipt, the result of a check, and the status."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter
from sqlalchemy import Row

from app.models import links
from app.models.base import format_utc
from app.models.concerns.additions import AdditionReceipt
from app.models.concerns.concern import Concern, ImmediateDanger, ReporterKind
from app.models.concerns.entries import MessageEntry
from app.models.concerns.fields import YesNo
from app.models.concerns.receipts import AdditionStatus, CheckResponse, ConcernState, ConcernStatus, MessageStatus
from app.models.concerns.rows import LEAST_URGENT_FIRST, ConcernRow
from app.models.concerns.status_tokens import new_status_token
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.models.guides.signposts import CALL_999_FIRST, Signpost, WhoToCall
from app.services.audit.audit_log import REPORTER
from app.services.clock.teams import UNTIL_THEN, DutyHours, Team, Teams
from app.services.clock.working_days import deadline_in_words, deadline_of
from app.services.clock.working_hours import opening_in_words
from app.services.concerns.arrivals import Arrival
from app.services.concerns.receipt_signing import ReceiptSigner
from app.services.guides.reference_data import ReferenceData, lives_elsewhere

_SIGNPOSTS = TypeAdapter(tuple[Signpost, ...])
CONCERN_STORED = "We have your concern. A social worker has not read it yet."
NOTHING_STORED = "This was a check: nothing was stored. To raise the concern, send it to /v1/concerns."
ADDITION_STORED = "We have what you added to your concern."
TEST = "TEST: this is a test. No social worker acts on it, and it is erased after a day."
WHAT_WAS_ADDED = "what you added"
CLOSED_TEXT = "We have finished with this concern. We may not be able to tell you more."
NEW_WORRY = "If something new worries you, add it to this concern. A social worker will read it."
MESSAGE_WAITS = "The duty team has sent you a message. To reply, add to your concern."
ANOTHER_COUNCIL = "A child lives in the area of another council. We pass your concern on to that council."
WORKS_WITH_CHILDREN = "An adult who works with children is named. You can also call the designated officer (LADO)."
NO_OFFICER = "An adult who works with children is named. Call the duty team, and ask for the designated officer (LADO)."
BY_THE_CONCERN = (ANOTHER_COUNCIL, WORKS_WITH_CHILDREN, NO_OFFICER)
"""Next steps that depend on what the concern says of people."""
UNDER_DUTY = "The signed receipt says that you made this report under a legal duty to report, and when."
NOT_ACKNOWLEDGED = "A social worker has not acknowledged {} yet."
PLACE_OF_NUMBER = 2
"""Index in `next_steps` of the sentence that names whom to call.

A test's receipt has another sentence there, or none.
"""
WAYS = ("name", "phones", "url", "email", "open_now", "opens_at")
HOW_TO_FOLLOW = "Keep your reference and status token. You need both to check what is happening."
TIMES_FOR_DANGER = {
    ImmediateDanger.YES.value: "acknowledge_danger_minutes",
    ImmediateDanger.NOT_SURE.value: "acknowledge_not_sure_minutes",
}
"""Setting with the time to acknowledge, by answer about danger. The time is promised only if set."""


class NewReceipt(NamedTuple):
    """A receipt as `json`, and what the concern's row needs of it."""

    status_token: str | None
    acknowledge_by: dt.datetime
    json: bytes


class PinnedEdition(NamedTuple):
    """The edition that a concern is about. `who` is whom to call now, even if corrected after its publication."""

    key: EditionKey
    content: EditionContent
    who: WhoToCall
    guide_named: bool


@dataclass(frozen=True)
class ReceiptBuilder:
    """Makes receipts and statuses, with next steps in plain sentences. `come_back_days` are working days.

    `clocks` has the time to acknowledge by answer about danger, otherwise it is one working day. Sentences name only
    `promised` times.
    """

    signer: ReceiptSigner
    duty_hours: DutyHours
    reference_data: ReferenceData
    come_back_days: int = 2
    clocks: Mapping[str, dt.timedelta] = field(default_factory=dict)
    promised: Collection[str] = ()

    def acknowledge_by(self, danger: str | None, *, at: dt.datetime) -> dt.datetime:
        """Return the deadline: one working day after receipt, or the shorter time of `clocks`."""
        due, clock = self.duty_hours.working_days.after(at, days=1), self.clocks.get(danger or "")
        return due if clock is None else min(due, at + clock)

    def is_promised(self, danger: str | None) -> bool:
        """True if the reporter may be told the deadline."""
        return danger not in self.clocks or danger in self.promised

    def officer_by(self, *, is_allegation: bool, at: dt.datetime) -> dt.date | None:
        return deadline_of(self.duty_hours.working_days.after(at, days=1))[0] if is_allegation else None

    def call_from(self, who: WhoToCall, due: dt.datetime, danger: str | None) -> dt.datetime:
        """Return when to call if nobody acknowledged: `due`, or the next opening after it. In danger, always `due`."""
        return due if danger in self.clocks else self.duty_hours.teams(who, due).opens or due

    def build_check_response(self, pinned: PinnedEdition, concern: Concern, *, at: dt.datetime) -> CheckResponse:
        danger, who = concern.immediate_danger, pinned.who
        due, also_call = self.acknowledge_by(danger, at=at), self.reference_data.also_call(concern, who.signposts)
        step = self._next_step(due, who, at, danger=danger)
        return CheckResponse(
            also_call=also_call,
            next_steps=(CALL_999_FIRST, NOTHING_STORED, step, *self._by_the_concern(concern, also_call)),
            links={"self": links.CONCERN_CHECK, "submit": links.CONCERNS} | _links(pinned.key),
            guide_named=pinned.guide_named,
            come_back_by=self.duty_hours.working_days.after(at, days=self.come_back_days),
            **self._common_fields(pinned.key, who, due, danger, at),
        )

    def build_receipt(
        self, pinned: PinnedEdition, reference: str, concern: Concern, arrival: Arrival, claims: Mapping[str, Any]
    ) -> NewReceipt:
        """Return a signed receipt, with a new status token if `arrival.has_code`.

        The deadline counts from `came_at`. `claims` are about the text: they are signed with those that are made here.
        """
        at, test, status_token = arrival.at, bool(concern.test), new_status_token() if arrival.has_code else None
        key, who, danger = pinned.key, pinned.who, concern.immediate_danger
        due = self.acknowledge_by(danger, at=arrival.came_at)
        also_call = self.reference_data.also_call(concern, who.signposts)
        pin = {"received_at": format_utc(at), "guide": key.guide, "edition": key.number}
        claims = {"jti": reference, "iat": int(at.timestamp()), **pin, "guide_named": pinned.guide_named, **claims}
        written = {"channel": arrival.channel.value, "came_at": format_utc(arrival.came_at)}
        claims |= written if arrival.received_by else {}
        stated = _duty_stated(concern)
        claims |= {"test": True} if test else {}
        claims |= {"made_under_duty": stated} if stated else {}
        back = self.duty_hours.working_days.after(at, days=self.come_back_days)
        step = self._next_step(due, who, at, danger=danger)
        expected = (TEST,) if test else (CONCERN_STORED, step, *self._by_the_concern(concern, also_call))
        if stated == YesNo.YES and not test:
            expected = (*expected, UNDER_DUTY)
        come_back = () if test else (_come_back(deadline_of(back)[0]),)
        afterwards = (HOW_TO_FOLLOW, *come_back) if arrival.has_code else ()
        receipt = {  # in the order of the fields of `Receipt`
            "reference": reference,
            "state": ConcernState.RECEIVED.value,
            "received_at": pin["received_at"],
            "test": test,
            "acknowledge_by": format_utc(due),
            "acknowledge_by_promised": self.is_promised(danger),
            "call_from": format_utc(self.call_from(who, due, danger)),
            "guide": key.guide,
            "edition": key.number,
            "status_token": status_token,
            "receipt": self.signer.sign(claims),
            "guide_named": pinned.guide_named,
            "come_back_by": format_utc(back) if arrival.has_code else None,
            "signposts": orjson.Fragment(who.signposts_json),
            "next_steps": (CALL_999_FIRST, *expected, *afterwards),
            "contacts": orjson.Fragment(who.contacts_json),
            "teams": orjson.Fragment(self.duty_hours.teams(who, at).on_duty_json),
            "links": _own_links(reference) | _links(key),
            "also_call": orjson.Fragment(_SIGNPOSTS.dump_json(also_call)),
        }
        if arrival.received_by:
            receipt |= written | {"received_by": arrival.received_by}
        return NewReceipt(status_token, due, orjson.dumps(receipt))

    def _by_the_concern(self, concern: Concern, also_call: Sequence[Signpost]) -> tuple[str, ...]:
        officer = WORKS_WITH_CHILDREN if any(each.allegations for each in also_call) else NO_OFFICER
        steps = {
            ANOTHER_COUNCIL: lives_elsewhere(concern, self.reference_data.neighbours),
            officer: concern.concern.names_a_worker,
        }
        return tuple(sentence for sentence, is_so in steps.items() if is_so)

    def with_current_numbers(self, receipt: bytes, who: WhoToCall, danger: str | None, *, at: dt.datetime) -> bytes:
        """Return `receipt` with current contacts, signposts and step that says who to call. The signed part stays."""
        members = orjson.loads(receipt)
        contacts, signposts = orjson.loads(who.contacts_json), orjson.loads(who.signposts_json)
        now = {
            "contacts": contacts,
            "signposts": signposts,
            "teams": orjson.loads(self.duty_hours.teams(who, at).on_duty_json),
        }
        if all(_ways(members.get(name, ())) == _ways(each) for name, each in now.items()):
            return receipt
        if not members["test"]:
            due = dt.datetime.fromisoformat(members["acknowledge_by"])
            what = WHAT_WAS_ADDED if "added_at" in members else "it"
            members["next_steps"][PLACE_OF_NUMBER] = self._next_step(due, who, at, danger=danger, what=what)
        corrected = {each["id"]: each for each in signposts}
        if "also_call" in members:
            members["also_call"] = [corrected.get(each["id"], each) for each in members["also_call"]]
        return orjson.dumps(members | now)

    def build_status(
        self,
        row: ConcernRow,
        additions: Sequence[Row[Any]],
        messages: Sequence[MessageEntry],
        who: WhoToCall,
        *,
        at: dt.datetime,
    ) -> ConcernStatus:
        """Leave out what a worker wrote down: a reporter must not learn that someone else called."""
        pinned, own = EditionKey(row.guide, row.edition), [each for each in additions if each.author == REPORTER]
        waiting = [each for each in own if each.acknowledged_at is None]
        waits, danger = row.state == ConcernState.RECEIVED, row.immediate_danger
        expected = [self._next_step(row.acknowledge_by, who, at, danger=danger)] if waits else []
        if waiting:
            due = min(each.acknowledge_by for each in waiting)
            said = max((each.immediate_danger or "no" for each in waiting), key=LEAST_URGENT_FIRST.index)
            expected.append(self._next_step(due, who, at, danger=said, what=WHAT_WAS_ADDED))
        if any(message.read_at is None for message in messages):
            expected.append(MESSAGE_WAITS)
        if row.state == ConcernState.CLOSED:
            expected.append(NEW_WORRY)
        if row.test:
            expected = [TEST]
        added_at = {addition.number: addition.received_at for addition in own}
        return ConcernStatus(
            reference=row.reference,
            state=ConcernState(row.state),
            received_at=row.received_at,
            test=row.test,
            acknowledged_at=row.acknowledged_at,
            closed_at=row.closed_at,
            outcome=row.outcome if row.outcome_shared else None,
            outcome_text=self._outcome_text(row),
            additions=tuple(
                AdditionStatus(
                    number=number,
                    added_at=addition.received_at,
                    acknowledge_by=addition.acknowledge_by,
                    acknowledge_by_promised=self.is_promised(addition.immediate_danger),
                    call_from=self.call_from(who, addition.acknowledge_by, addition.immediate_danger),
                    acknowledged_at=addition.acknowledged_at,
                )
                for number, addition in enumerate(own, start=1)
            ),
            messages=tuple(
                MessageStatus(
                    number=message.number,
                    sent_at=message.sent_at,
                    read_at=message.read_at,
                    answered_at=added_at.get(message.answered_by or 0),
                )
                for message in messages
            ),
            come_back_by=self.duty_hours.working_days.after(row.received_at, days=self.come_back_days),
            next_steps=(CALL_999_FIRST, *expected),
            links=_own_links(row.reference) | _links(pinned),
            **self._common_fields(pinned, who, row.acknowledge_by, danger, at),
        )

    def build_addition_receipt(
        self, row: ConcernRow, danger: str | None, who: WhoToCall, *, at: dt.datetime
    ) -> AdditionReceipt:
        """Build a receipt that is not signed."""
        due = self.acknowledge_by(danger, at=at)
        step = self._next_step(due, who, at, danger=danger, what=WHAT_WAS_ADDED)
        expected = (TEST,) if row.test else (ADDITION_STORED, step)
        return AdditionReceipt(
            reference=row.reference,
            state=ConcernState(row.state),
            received_at=row.received_at,
            test=row.test,
            added_at=at,
            acknowledge_by=due,
            acknowledge_by_promised=self.is_promised(danger),
            call_from=self.call_from(who, due, danger),
            next_steps=(CALL_999_FIRST, *expected),
            signposts=who.signposts,
            contacts=who.contacts,
            teams=self.duty_hours.teams(who, at).on_duty,
            links={"self": links.concern_path(row.reference)} | _links(EditionKey(row.guide, row.edition)),
        )

    def _next_step(
        self,
        due: dt.datetime,
        who: WhoToCall,
        at: dt.datetime,
        *,
        danger: str | None,
        what: str = "it",
    ) -> str:
        """Say to call now if in danger, overdue, or not promised."""
        due = self.call_from(who, due, danger)
        when = deadline_in_words(due.replace(second=0, microsecond=0))
        is_late, is_promised = at > due, self.is_promised(danger)
        expected = f"A social worker should acknowledge {what} by {when}."
        if not is_late and is_promised and danger != ImmediateDanger.YES:
            return f"{expected} If nobody has by then, {self._number_to_call(who, due)}"
        call = _call(self.duty_hours.teams(who, at))
        if is_late:
            late = f"A social worker should have acknowledged {what} by {when}."
            return f"{late if is_promised else NOT_ACKNOWLEDGED.format(what)} Please {call}"
        after = "After 999, " if danger == ImmediateDanger.YES else "If you are not sure, "
        return f"Do not wait for an answer. {after}{call}{f' {expected}' if is_promised else ''}"

    def _number_to_call(self, who: WhoToCall, due: dt.datetime) -> str:
        """For a deadline at the end of a day, name the guide's own first number, for the next morning."""
        if deadline_of(due)[1] is None:
            return _call(Teams(next((Team(each, None) for each in who.contacts if each.phones), None), ()))
        return _call(self.duty_hours.teams(who, due))

    def _outcome_text(self, row: ConcernRow) -> str | None:
        if row.state != ConcernState.CLOSED:
            return None
        codes = self.reference_data.get_code_list("outcome").codes if row.outcome_shared else ()
        sentences = (each.for_reporter or each.label for each in codes if each.code == row.outcome)
        return next(sentences, CLOSED_TEXT)

    def _common_fields(
        self, pinned: EditionKey, who: WhoToCall, due: dt.datetime, danger: str | None, at: dt.datetime
    ) -> dict[str, Any]:
        return {
            "guide": pinned.guide,
            "edition": pinned.number,
            "acknowledge_by": due,
            "acknowledge_by_promised": self.is_promised(danger),
            "call_from": self.call_from(who, due, danger),
            "signposts": who.signposts,
            "contacts": who.contacts,
            "teams": self.duty_hours.teams(who, at).on_duty,
        }


def _ways(contacts: Iterable[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [tuple(each.get(name) for name in WAYS) for each in contacts]


def _duty_stated(concern: Concern) -> str | None:
    stated = concern.reporter.duty_to_report
    is_professional = concern.reporter.kind == ReporterKind.PROFESSIONAL
    return stated.made_under_duty if is_professional and stated is not None else None


def _own_links(reference: str) -> links.Links:
    return {"self": links.concern_path(reference), "messages": links.concern_path(reference, "messages")}


def _links(pinned: EditionKey) -> links.Links:
    return {
        "form": links.CONCERN_FORM,
        "guide": links.guide_path(pinned.guide),
        "edition": links.edition_path(*pinned),
        "signposts": links.SIGNPOSTS,
    }


@lru_cache(maxsize=64)
def _come_back(by: dt.date) -> str:
    day = by.strftime(f"%A {by.day} %B %Y")
    return f"Check for messages by {day}, using both: the duty team may have a question for you."


def _call(teams: Teams) -> str:
    team = teams.first or next(iter(teams.others), None)
    if team is None:
        return "use the guide's contacts below."
    numbers = " or ".join(phone.dialled for phone in team.contact.phones)
    call = f"call the {team.contact.name} on {numbers}{team.contact.phones[0].option_text}"
    if not teams.are_closed:
        return f"{call}."
    opens = f", {opening_in_words(teams.opens, teams.at)}" if teams.at and teams.opens else ""
    police, children = ([each.phones[0].dialled for each in teams.until_then if each.id == name] for name in UNTIL_THEN)
    until = (
        [f"call {number}" for number in police]
        + ["in danger, 999"]
        + [f"under 18, Childline on {number}" for number in children]
    )
    return f"{call} when it opens{opens}. It is closed now. Until then {'; '.join(until)}."
