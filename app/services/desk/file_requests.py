"""Requests for the file of one person: who asks, by when, and the two people who look at the file and give it.

They are entries of a chain of the audit log, which names no member of the public, so there is nothing to erase.
"""

import datetime as dt
from calendar import monthrange
from dataclasses import dataclass

from sqlmodel import Session, col, select

from app.errors import FieldError, NoSuchItem, ValidationFailed
from app.models.audit.details import FileRequestDetails, FileStepDetails, details_of
from app.models.audit.rows import PERSON_FILES, AuditEntryRow, DeskAct, NotedTime
from app.models.desk.exports import FileAsker, NewFileRequest, PersonFilePurpose
from app.models.events.rows import EventKind
from app.services.audit.audit_log import Actor, is_same_hand, person_of, record_action
from app.services.clock.working_days import LONDON, ONE_DAY, WorkingDays
from app.services.events.outbox import append_event
from app.services.events.rounds import find_round, note_round

SOON = dt.timedelta(days=7)
TOLD_FROM = dt.time(8)
"""Time in London from which events of the day tell of what is due."""
MOST_REASON = 200


@dataclass
class FileRequest:
    """A request and how far it is: the last file with who made it and who looked at it, and how it `ended`."""

    asked: FileRequestDetails
    by: str
    file_sha256: str = ""
    made_by: str = ""
    checked_by: str = ""
    ended: AuditEntryRow | None = None

    @property
    def purpose(self) -> PersonFilePurpose:
        is_courts = self.asked.asker == FileAsker.COURT
        return PersonFilePurpose.COURT if is_courts else PersonFilePurpose.PERSON

    @property
    def next_step(self) -> str:
        if not self.file_sha256:
            return "Make the file"
        if not self.checked_by:
            return f"A second person looks at the file of {person_of(self.made_by)}"
        return f"Give the file, which {person_of(self.checked_by)} has looked at"

    def refusal(self, act: DeskAct, client: str, step: FileStepDetails) -> str:
        """Return why `client` may not do this, or an empty text."""
        if self.ended is not None:
            return "This request has ended."
        if act == DeskAct.FILE_REFUSED:
            return "" if 0 < len(step.reason) <= MOST_REASON else "Give a reason of up to 200 letters."
        return "" if act == DeskAct.FILE_MADE else self._refusal_of_file(act, client, step.file_sha256)

    def _refusal_of_file(self, act: DeskAct, client: str, file_sha256: str) -> str:
        if file_sha256 != self.file_sha256 or not file_sha256:
            return "This is not the file that was made last for this request."
        if act == DeskAct.FILE_CHECKED:
            own = is_same_hand(client, self.made_by)
            return "You made this file: a second person must look at it." if own else ""
        if not self.checked_by:
            return "A second person must look at this file first."
        return "You looked at this file: someone else must give it." if is_same_hand(client, self.checked_by) else ""

    def apply(self, entry: AuditEntryRow, file_sha256: str) -> None:
        if entry.act == DeskAct.FILE_MADE:
            self.file_sha256, self.made_by, self.checked_by = file_sha256, entry.client, ""
        elif entry.act == DeskAct.FILE_CHECKED:
            self.checked_by = entry.client
        else:
            self.ended = entry


def read_requests(session: Session) -> dict[int, FileRequest]:
    """Return all requests by number."""
    return _replay(session)[0]


def find_request_faults(session: Session) -> list[str]:
    """Return what this service would have refused."""
    try:
        return _replay(session)[1]
    except (LookupError, ValueError):
        return ["an entry can no longer be read"]


def _replay(session: Session) -> tuple[dict[int, FileRequest], list[str]]:
    requests: dict[int, FileRequest] = {}
    faults = []
    entries = select(AuditEntryRow).where(AuditEntryRow.chain == PERSON_FILES).order_by(col(AuditEntryRow.number))
    for entry in session.exec(entries):
        details = details_of(entry)
        if isinstance(details, FileRequestDetails):
            requests[details.request] = FileRequest(details, entry.client)
            continue
        request = requests[details.request]
        if fault := request.refusal(DeskAct(entry.act), entry.client, details):
            faults.append(f"request {details.request}, entry {entry.number}: {fault}")
        request.apply(entry, details.file_sha256)
    return requests, faults


def get_request(session: Session, number: int) -> FileRequest:
    """Raise `NoSuchItem`."""
    request = read_requests(session).get(number)
    if request is None:
        raise NoSuchItem
    return request


def add_request(session: Session, new: NewFileRequest, working_days: WorkingDays, actor: Actor) -> int:
    """Record a request, due a month after it came unless it says another day, and return its number.

    Raise `ValidationFailed` if it came after today, or is due before it came.
    """
    if new.came_on > actor.at.astimezone(LONDON).date():
        raise ValidationFailed([FieldError(("came_on",), "This day has not come yet.")])
    due = new.due or month_after(new.came_on, working_days)
    if due < new.came_on:
        raise ValidationFailed([FieldError(("due",), "It cannot be due before it came.")])
    requests, asked = read_requests(session), new.model_dump(include={"asker", "about", "came_on"}) | {"due": due}
    for number, each in requests.items():
        if each.ended is None and each.asked.model_dump(exclude={"request"}) == asked:
            return number  # the form was sent twice
    details = FileRequestDetails(request=len(requests) + 1, **asked)
    record_action(session, PERSON_FILES, DeskAct.FILE_REQUESTED, actor, details)
    return details.request


def month_after(day: dt.date, working_days: WorkingDays) -> dt.date:
    """Return the same day of the next month, or its last, or the first working day after it: as the ICO counts."""
    first = (day.replace(day=1) + dt.timedelta(days=31)).replace(day=1)
    following = first.replace(day=min(day.day, monthrange(first.year, first.month)[1]))
    due: dt.date = working_days.calendar.get_nth_working_day(following - ONE_DAY, 1)
    return due


def take_step(
    session: Session, number: int, act: DeskAct, actor: Actor, file_sha256: str = "", reason: str = ""
) -> FileRequest:
    """Record what was done about a request. Raise `NoSuchItem`, or `ValidationFailed` with why it may not be done."""
    request = get_request(session, number)
    details = FileStepDetails(request=number, file_sha256=file_sha256, reason=reason)
    if refusal := request.refusal(act, actor.client, details):
        raise ValidationFailed([FieldError((), refusal)])
    record_action(session, PERSON_FILES, act, actor, details)
    return request


def append_file_events(session: Session, *, now: dt.datetime) -> None:
    """Append an event for each open request that is due within `SOON` or overdue, once a day."""
    local, told = now.astimezone(LONDON), find_round(session, NotedTime.FILE_REQUESTS)
    if local.time() < TOLD_FROM or (told is not None and told.astimezone(LONDON).date() >= local.date()):
        return
    for number, request in read_requests(session).items():
        if request.ended is None and request.asked.due - local.date() <= SOON:
            page = {"page": f"/desk/person-file/{number}"}
            data = {"request": number, "due": str(request.asked.due), "links": page}
            append_event(session, EventKind.PERSON_FILE_DUE, at=now, data=data)
    note_round(session, NotedTime.FILE_REQUESTS, at=now)
