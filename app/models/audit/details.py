"""Details of audit entries: one model for each kind of action, stored as canonical JSON and shown as a sentence."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind, EntryPlace
from app.models.audit.responses import DisclosureEntry
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import UtcDateTime, canonical_json, counted, format_utc, parse_json

ADDING_ACTS = frozenset(spec.act for spec in ENTRY_SPECS.values())
SEALING_ACTS = ADDING_ACTS | {DeskAct.RECEIVED, DeskAct.RESEALED}
ASSIGNING_ACTS = frozenset({DeskAct.ASSIGNED, DeskAct.UNASSIGNED})
CHANGING_ACTS = ASSIGNING_ACTS | {
    DeskAct.RECEIVED,
    DeskAct.ADDED,
    DeskAct.NOTED,
    DeskAct.LABELLED,
    DeskAct.ACKNOWLEDGED,
    DeskAct.CLOSED,
    DeskAct.REOPENED,
    DeskAct.HELD,
    DeskAct.RELEASED,
    DeskAct.ERASED,
    DeskAct.RESTRICTED,
    DeskAct.RESTRICTION_LIFTED,
}
"""A concern's `changed_at` is the time of its last such action."""
TO_SEE_FIRST = (CHANGING_ACTS | {DeskAct.MESSAGE_SENT, DeskAct.HANDED_OVER}) - {DeskAct.LABELLED}
DECIDING_ACTS = frozenset(
    {
        DeskAct.CLOSED,
        DeskAct.REOPENED,
        DeskAct.HELD,
        DeskAct.RELEASED,
        DeskAct.ERASED,
        DeskAct.MESSAGE_SENT,
        DeskAct.HANDED_OVER,
    }
)
SENDING_ACTS = frozenset({DeskAct.NOTED, DeskAct.MESSAGE_SENT, DeskAct.HANDED_OVER})


class Details(BaseModel):
    """`str()` returns the sentence for people, from the template `words`. Programs never parse it.

    Never change the default of a field: stored details leave defaults out, so stored entries would change their
    meaning.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    words: ClassVar[str] = ""

    @property
    def stored(self) -> str:
        """Return the fields, without those that have their default value."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True)).decode()

    def __str__(self) -> str:
        return self.words.format(**vars(self))


class EntryDetails(Details):
    """Details about one text: an entry or, if both fields are None, the concern's own."""

    kind: EntryKind | None = None
    number: int | None = None

    @property
    def place(self) -> EntryPlace | None:
        return None if self.kind is None or self.number is None else EntryPlace(self.kind, self.number)


class SealDetails(EntryDetails):
    """Details of what is stored.

    `recipients` are fingerprints, none for a message; digests are None for what the action does not store.
    `columns_sha256` covers the concern's unencrypted columns, `card_sha256` the sealed card, `receipt_sha256` what is
    stored for a retry. `officer_by` is the day by which to tell the designated officer of an allegation, unless an
    earlier day is set.
    """

    sealed_sha256: str
    recipients: tuple[str, ...] = ()
    entry_sha256: str | None = None
    columns_sha256: str | None = None
    receipt_sha256: str | None = None
    card_sha256: str | None = None
    restricted: bool = False
    officer_by: dt.date | None = None

    def __str__(self) -> str:
        added = "" if self.place is None else f"{self.place} "
        recipients = f" to {' '.join(self.recipients)}" if self.recipients else ""
        digests = {name: getattr(self, f"{name}_sha256") for name in ("entry", "columns", "receipt", "card")}
        others = "".join(f"; {name} sha256:{digest}" for name, digest in digests.items() if digest is not None)
        restricted = "; restricted to leads" if self.restricted else ""
        return f"{added}sha256:{self.sealed_sha256}{recipients}{others}{restricted}"


class ShownPage(BaseModel):
    """Entries of one kind that were shown, from `first` to `last`. Both are None if there were none."""

    model_config = Details.model_config
    kind: EntryKind
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        return f"no {self.kind}s" if self.first is None else f"{self.kind}s {self.first} to {self.last}"


class ShownDetails(EntryDetails):
    """`what` says what was shown and how: one entry, `pages` of entries, or concerns in a list."""

    what: str = ""
    pages: tuple[ShownPage, ...] = ()
    references: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = self.what if self.place is None else f"{self.what} of {self.place}"
        return ", ".join(filter(None, (what, *map(str, self.pages), " ".join(self.references))))


class AcknowledgedDetails(Details):
    """What was acknowledged: a concern with its first `up_to_addition` additions, or one `addition`.

    If several concerns of a `burst` were acknowledged in one action, `together` is their number.
    """

    up_to_addition: int = 0
    addition: int | None = None
    together: int | None = None
    burst: str = ""

    def __str__(self) -> str:
        additions = f"with additions 1 to {self.up_to_addition}" if self.up_to_addition else ""
        one = "" if self.addition is None else f"addition {self.addition}"
        together = "" if self.together is None else f"together, {self.together} of {self.burst}"
        return "; ".join(filter(None, (additions, one, together)))


class ClosedDetails(Details):
    outcome: str
    shared: bool

    def __str__(self) -> str:
        return f"{self.outcome}, {'shared' if self.shared else 'not shared'} with the reporter"


class ReasonDetails(Details):
    words = "{reason}"
    reason: str = ""


class RestrictedDetails(ReasonDetails):
    """Who may open a concern: only `people` or, if empty, all leads. `officer_by` is as in `SealDetails`."""

    people: tuple[str, ...] = ()
    officer_by: dt.date | None = None

    def __str__(self) -> str:
        return f"to {', '.join(self.people) or 'leads'}: {self.reason}"


class HeldDetails(ReasonDetails):
    """A hold. It does not end on `until`: a person must release the concern."""

    until: dt.date | None = None

    def __str__(self) -> str:
        return self.reason if self.until is None else f"until {self.until}: {self.reason}"


class PersonDetails(Details):
    """The person of an assignment, whom triggers of the database read from here."""

    person: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.person}: {self.reason}" if self.reason else self.person


class LookAgainDetails(Details):
    """The day is for the team, unless it is the person's `own`. None removes it.

    If `officer`, it is the day by which to tell the designated officer, or None once they were told.
    """

    day: dt.date | None = None
    own: bool = False
    officer: bool = False

    def __str__(self) -> str:
        if self.officer:
            return f"tell the designated officer by {self.day}" if self.day else "the designated officer was told"
        return f"{self.day or 'no day'} for {'themselves' if self.own else 'the team'}"


class AssignmentRefusedDetails(Details):
    """A refused assignment. `person` is None if it was to be removed."""

    person: str | None = None

    def __str__(self) -> str:
        return f"to {self.person or 'nobody'}"


class WithheldDetails(Details):
    """An action that was not carried out (`wanted`), because someone else had changed the concern."""

    words = "{wanted}"
    wanted: str


class MessageReadDetails(Details):
    messages: tuple[int, ...]

    def __str__(self) -> str:
        return f"message{'s' if len(self.messages) > 1 else ''} {' '.join(map(str, self.messages))}"


class HandedOverDetails(Details):
    number: int
    additions: int = 0
    package_sha256: str
    recipient: str
    body: str
    reason: str

    def __str__(self) -> str:
        additions = f" with additions 1 to {self.additions}" if self.additions else ""
        what = f"hand-over {self.number}{additions} sha256:{self.package_sha256} to {self.recipient}"
        return f"{what}; {self.body}: {self.reason}"


class HandOverConfirmedDetails(Details):
    words = "hand-over {number} receipt sha256:{receipt_sha256}"
    number: int
    receipt_sha256: str


class ExportedDetails(Details):
    """`together` is the number of concerns in a file about one person, None for an export of one concern.

    `for_person`: the file is for that person, without the passages that name others.
    """

    file_sha256: str
    notes: bool
    together: int | None = None
    for_person: bool = False

    def __str__(self) -> str:
        notes = f"sha256:{self.file_sha256} {'with' if self.notes else 'without'} notes"
        if self.together is None:
            return notes
        concerns = counted(self.together, "concern")
        whom = "for that person" if self.for_person else "for a court"
        return f"file of one person, {concerns}, {whom}, {notes}"


class FileRequestDetails(Details):
    """A request for the file of one person, of whom nothing is said. `asker` is a `FileAsker`."""

    words = "request {request}, due by {due}: {about}"
    request: int
    asker: str
    about: str
    came_on: dt.date
    due: dt.date


class FileStepDetails(Details):
    """What was done about a request. `reason` says why it ended without a file."""

    request: int
    file_sha256: str = ""
    reason: str = ""

    def __str__(self) -> str:
        return f"request {self.request}, {self.reason or f'sha256:{self.file_sha256}'}"


class CardsGivenDetails(Details):
    """`positions` are those of the entries that say that the concerns were received, in ascending order.

    `log` is the last position of the log at the reading, and `sha256` the digest of the returned set.
    """

    scope: str
    changed_since: UtcDateTime | None = None
    log: int = 0
    positions: tuple[int, ...] = ()
    sha256: str

    def __str__(self) -> str:
        since = "" if self.changed_since is None else f", changed since {format_utc(self.changed_since)}"
        concerns = counted(len(self.positions), "concern")
        return f"{self.scope}{since}: cards of {concerns} sha256:{self.sha256}"


class LogDetails(Details):
    """Filters of a request for the log, or for a statement. Days are in London."""

    chain: str | None = None
    client: str | None = None
    person: str | None = None
    act: DeskAct | None = None
    first_day: dt.date | None = None
    last_day: dt.date | None = None

    def __str__(self) -> str:
        days = (f"from {self.first_day}" if self.first_day else "", f"to {self.last_day}" if self.last_day else "")
        return " ".join(filter(None, (self.chain, self.client, self.person, self.act, *days)))


class CheckpointDetails(Details):
    """A checkpoint. The number and hash of the last event are 0 and None if there is no event."""

    events: int = 0
    sha256: str | None = None

    def __str__(self) -> str:
        return f"events 1 to {self.events} sha256:{self.sha256}" if self.events else "no events"


class EntriesLostDetails(Details):
    """Lost entries: those after the position `after`, up to `known`.

    If both are equal, a backup was restored, and nothing is known of the entries that it lacks.
    """

    after: int
    known: int
    since: UtcDateTime
    until: UtcDateTime

    def __str__(self) -> str:
        time, missing = f"from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC", self.known - self.after
        if not missing:
            return f"a backup was restored: actions {time} may be missing"
        actions = counted(missing, "action is", "actions are")
        return f"the database ends before what was known: at least {actions} missing, {time}"


class SummaryDetails(Details):
    """Which counts a reader asked for: those of the inbox if no field is set, and at most one kind otherwise.

    `days`: figures of the last days. `people`: concerns of each person. `keys`: who holds the team's key. `first_month`
    and `last_month` are first days of months.
    """

    days: int | None = None
    statistics: bool = False
    people: bool = False
    keys: bool = False
    first_month: dt.date | None = None
    last_month: dt.date | None = None

    def __str__(self) -> str:
        if self.first_month is not None:
            return f"figures from {self.first_month:%Y-%m} to {self.last_month or self.first_month:%Y-%m}"
        if self.keys:
            return "who holds the team's key"
        figures = "who has what" if self.people else "" if self.days is None else f"figures of {self.days} days"
        return "statistics" if self.statistics else figures


class EventsConfirmedDetails(Details):
    words = "{event} by {client}"
    client: str
    event: int


class WebhookDetails(Details):
    """A webhook. `sha256` covers its columns, and `secrets_sha256` its stored secrets."""

    name: str
    on: bool
    sha256: str
    secrets_sha256: str

    def __str__(self) -> str:
        state = "on" if self.on else "off"
        return f"{self.name} {state} sha256:{self.sha256}; secrets sha256:{self.secrets_sha256}"


class InvitedDetails(Details):
    words = "{person} as {role}; link {link}"
    person: str
    role: str
    link: str


class PasskeyDetails(Details):
    words = "passkey {passkey} by link {link}"
    passkey: str
    link: str


class PasskeyRemovedDetails(Details):
    words = "{person}: passkey {passkey}"
    person: str
    passkey: str


class KeyCopyDetails(PasskeyRemovedDetails):
    """A locked copy. `passkey` and `keys` are fingerprints, and `sha256` is of the copy."""

    keys: tuple[str, ...]
    sha256: str
    replaces: bool = False

    def __str__(self) -> str:
        former = "; in place of an earlier copy" if self.replaces else ""
        return f"{super().__str__()}, key {' '.join(self.keys)}, sha256:{self.sha256}{former}"


class KeyCopyReadDetails(Details):
    """Fingerprints of the passkeys that open the fetched copies."""

    passkeys: tuple[str, ...]

    def __str__(self) -> str:
        return f"passkey{'s' if len(self.passkeys) > 1 else ''} {' '.join(self.passkeys)}"


class RoleDetails(Details):
    """A role; `NO_ROLE` stands for none. `subject` is the id at an OpenID provider."""

    person: str
    former: str
    role: str
    subject: str | None = None

    def __str__(self) -> str:
        known_as = "" if self.subject in (None, self.person) else f" ({self.subject} at the provider)"
        return f"{self.person}{known_as} from {self.former} to {self.role}"


class SessionDetails(Details):
    """A session, or all if `session` is None. `person` is None if people sign in or out themselves."""

    session: str | None = None
    person: str | None = None

    def __str__(self) -> str:
        sessions = "every session" if self.session is None else f"session {self.session}"
        return sessions if self.person is None else f"{sessions} of {self.person}"


class ClientDetails(Details):
    words = "{client}"
    client: str


class KeyDetails(ClientDetails):
    """A key. `ends` is None if it does not expire."""

    key: str
    ends: UtcDateTime | None = None

    def __str__(self) -> str:
        ends = "never" if self.ends is None else format_utc(self.ends)
        return f"{self.client}: key {self.key}, ends {ends}"


class ClientAddedDetails(KeyDetails):
    scopes: tuple[str, ...]
    test: bool = False
    person: str | None = None

    def __str__(self) -> str:
        kind = "for tests may" if self.test else "may"
        person = "" if self.person is None else f"; person {self.person}"
        return f"{super().__str__()}, {kind} {' '.join(self.scopes)}{person}"


class KeyAddedDetails(KeyDetails):
    """A new key. Older keys expire at `older_keys_end` at the latest."""

    older_keys_end: UtcDateTime

    def __str__(self) -> str:
        return f"{super().__str__()}; older keys end {format_utc(self.older_keys_end)}"


DETAILS: Mapping[str, type[Details]] = {
    **dict.fromkeys(SEALING_ACTS, SealDetails),
    **dict.fromkeys((DeskAct.LISTED, DeskAct.OPENED, DeskAct.COPIED, DeskAct.EVENTS_READ), ShownDetails),
    **dict.fromkeys(
        (DeskAct.REOPENED, DeskAct.RELEASED, DeskAct.ERASED, DeskAct.ERASURE_REQUESTED, DeskAct.UNASSIGNED),
        ReasonDetails,
    ),
    DeskAct.RESTRICTED: RestrictedDetails,
    **dict.fromkeys((DeskAct.RESTRICTION_LIFTED, DeskAct.LOOK_REFUSED), ReasonDetails),
    DeskAct.HELD: HeldDetails,
    DeskAct.CARDS_GIVEN: CardsGivenDetails,
    DeskAct.ACKNOWLEDGED: AcknowledgedDetails,
    DeskAct.CLOSED: ClosedDetails,
    DeskAct.ASSIGNED: PersonDetails,
    DeskAct.ASSIGNMENT_REFUSED: AssignmentRefusedDetails,
    DeskAct.LOOK_AGAIN: LookAgainDetails,
    DeskAct.WITHHELD: WithheldDetails,
    DeskAct.MESSAGE_READ: MessageReadDetails,
    DeskAct.HANDED_OVER: HandedOverDetails,
    DeskAct.HAND_OVER_CONFIRMED: HandOverConfirmedDetails,
    DeskAct.EXPORTED: ExportedDetails,
    DeskAct.FILE_REQUESTED: FileRequestDetails,
    **dict.fromkeys(
        (DeskAct.FILE_MADE, DeskAct.FILE_CHECKED, DeskAct.FILE_GIVEN, DeskAct.FILE_REFUSED), FileStepDetails
    ),
    **dict.fromkeys((DeskAct.DISCLOSURES_READ, DeskAct.STATEMENT_SIGNED), LogDetails),
    DeskAct.CHECKPOINT_SIGNED: CheckpointDetails,
    DeskAct.ENTRIES_LOST: EntriesLostDetails,
    DeskAct.SUMMARY_READ: SummaryDetails,
    DeskAct.EVENTS_CONFIRMED: EventsConfirmedDetails,
    DeskAct.WEBHOOK_CHANGED: WebhookDetails,
    DeskAct.INVITED: InvitedDetails,
    DeskAct.PASSKEY_ADDED: PasskeyDetails,
    DeskAct.PASSKEY_REMOVED: PasskeyRemovedDetails,
    **dict.fromkeys((DeskAct.KEY_COPY_STORED, DeskAct.KEY_COPY_DELETED), KeyCopyDetails),
    DeskAct.KEY_COPY_READ: KeyCopyReadDetails,
    DeskAct.ROLE_CHANGED: RoleDetails,
    **dict.fromkeys((DeskAct.SIGNED_IN, DeskAct.SIGNED_OUT), SessionDetails),
    DeskAct.LEFT: PersonDetails,
    DeskAct.CLIENT_ADDED: ClientAddedDetails,
    DeskAct.KEY_ADDED: KeyAddedDetails,
    DeskAct.CLIENT_REVOKED: ClientDetails,
}


def details_of(row: Any) -> Any:
    """Return the details of a row. Raise `LookupError` or `ValueError` if the row was altered."""
    return DETAILS[row.act].model_validate_json(row.detail)


def sentence_of(row: Any) -> str:
    """Return the sentence for people, or the details as stored if the row was altered."""
    try:
        return str(details_of(row))
    except (ValueError, LookupError):
        return str(row.detail)


def present_audit_entry(row: AuditEntryRow) -> DisclosureEntry:
    """Return the entry for a response. `details` is empty if the stored ones are no JSON object."""
    columns = row.model_dump(exclude={"position", "detail"})
    try:
        details = parse_json(row.detail)
    except ValueError:
        details = None
    return DisclosureEntry(**columns, detail=sentence_of(row), details=details if isinstance(details, dict) else {})


def audit_entry_row(entry: Mapping[str, Any]) -> AuditEntryRow:
    """Read an entry from JSON.

    Raise `KeyError`, `TypeError` or `ValueError` if `at` or `details` is missing or invalid.
    """
    columns = {name: value for name, value in entry.items() if name != "details"}
    stored = {"at": dt.datetime.fromisoformat(entry["at"]), "detail": canonical_json(entry["details"]).decode()}
    return AuditEntryRow(**columns | stored)


def others_acts_to_see(act: DeskAct) -> frozenset[DeskAct]:
    """Return the acts of others on which an action depends. Writing a note, for example, depends on none."""
    if act in ASSIGNING_ACTS:
        return ASSIGNING_ACTS
    return TO_SEE_FIRST if act in DECIDING_ACTS else frozenset()
