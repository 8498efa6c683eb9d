"""Details of audit entries: one model for each kind of action, stored as canonical JSON and shown as a sentence."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from app.models.audit.entry_kinds import ENTRY_SPECS, EntryKind, EntryPlace
from app.models.audit.responses import DisclosureEntry
from app.models.audit.rows import AuditEntryRow, DeskAct
from app.models.base import UtcDateTime, canonical_json, format_utc, parse_json

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
"""Actions that change a concern or its entries. A concern's `changed_at` is the time of its last such action."""
TO_SEE_FIRST = (CHANGING_ACTS | {DeskAct.MESSAGE_SENT, DeskAct.HANDED_OVER}) - {DeskAct.LABELLED}
"""Actions of others that a person must have seen before a deciding action on the concern."""
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
"""Actions that a person may take only after seeing what others have done to the concern."""
SENDING_ACTS = frozenset({DeskAct.NOTED, DeskAct.MESSAGE_SENT, DeskAct.HANDED_OVER})
"""Actions that would be repeated if their form were sent twice."""


class Details(BaseModel):
    """Details of an audit log entry. `str()` returns the sentence that people read. Programs never parse that sentence.

    `words` is the template of the sentence. Never change the default of a field: stored details leave defaults out, so
    the meaning of stored entries would change.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)
    words: ClassVar[str] = ""

    @property
    def stored(self) -> str:
        """The canonical JSON (RFC 8785) that is stored and hashed. Fields with their default value are left out."""
        return canonical_json(self.model_dump(mode="json", exclude_defaults=True)).decode()

    def __str__(self) -> str:
        return self.words.format(**vars(self))


class EntryDetails(Details):
    """Base class of the details about one text: an entry, or the concern's own text.

    `kind` and `number` identify the entry. For the concern's own text, `kind` and `number` are None.
    """

    kind: EntryKind | None = None
    number: int | None = None

    @property
    def place(self) -> EntryPlace | None:
        """The place of the entry, or None if the details are about the concern's own text."""
        return None if self.kind is None or self.number is None else EntryPlace(self.kind, self.number)


class SealDetails(EntryDetails):
    """Details of an action that stores a sealed text, such as a concern, a note or a message.

    `sealed_sha256` is the digest of the sealed text. `recipients` are the fingerprints of the desk's keys, and empty
    for a message. `columns_sha256` is the digest of the concern's unencrypted columns, if the action sets them.
    `entry_sha256` is the digest of the new entry's columns, or None if the action adds no entry. `receipt_sha256` is
    the digest of the receipt that is stored for a retry, or None. `card_sha256` is the digest of the sealed card of a
    concern or an addition, or None. `restricted` is true for a new concern that only leads may open. `officer_by` is
    the day by which to tell the designated officer of an allegation, unless an earlier day is set.
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
    """The entries of one kind that were shown: from number `first` to number `last`.

    `first` and `last` are None if no entry of this kind was shown.
    """

    model_config = Details.model_config
    kind: EntryKind
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        return f"no {self.kind}s" if self.first is None else f"{self.kind}s {self.first} to {self.last}"


class ShownDetails(EntryDetails):
    """Details of an action in which concerns, entries or events were shown to a person or a client.

    `kind` and `number` identify the text that was shown, if it is one entry. `what` says what was shown, and how.
    `pages` are the numbers of the entries shown, by kind. `references` are the references of the concerns in a list.
    """

    what: str = ""
    pages: tuple[ShownPage, ...] = ()
    references: tuple[str, ...] = ()

    def __str__(self) -> str:
        what = self.what if self.place is None else f"{self.what} of {self.place}"
        return ", ".join(filter(None, (what, *map(str, self.pages), " ".join(self.references))))


class AcknowledgedDetails(Details):
    """Details of an acknowledgement of a concern with its first `up_to_addition` additions, or of one `addition`.

    If several concerns of a burst were acknowledged in one action, `together` is their number, and `burst` the id of
    the burst. A burst is many concerns from one source on one day.
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
    """Details of a closing: the outcome. `shared` is True if the outcome was shared with the reporter."""

    outcome: str
    shared: bool

    def __str__(self) -> str:
        return f"{self.outcome}, {'shared' if self.shared else 'not shared'} with the reporter"


class ReasonDetails(Details):
    """Details of an action with an optional reason."""

    words = "{reason}"
    reason: str = ""


class RestrictedDetails(ReasonDetails):
    """Details of a restriction. `people` are the only people who may open the concern.

    If `people` is empty, all leads may open the concern. `officer_by` is as in `SealDetails`.
    """

    people: tuple[str, ...] = ()
    officer_by: dt.date | None = None

    def __str__(self) -> str:
        return f"to {', '.join(self.people) or 'leads'}: {self.reason}"


class HeldDetails(ReasonDetails):
    """Details of a hold. `until` is the last day on which the hold is needed, or None if no day is known.

    The hold does not end on that day: a person must release the concern.
    """

    until: dt.date | None = None

    def __str__(self) -> str:
        return self.reason if self.until is None else f"until {self.until}: {self.reason}"


class PersonDetails(Details):
    """Details of an action about a person: they were assigned a concern, or they left the desk.

    `reason` is empty if no reason was given. Database triggers read the person from the details of an assignment.
    """

    person: str
    reason: str = ""

    def __str__(self) -> str:
        return f"{self.person}: {self.reason}" if self.reason else self.person


class LookAgainDetails(Details):
    """Details of the day on which a concern is to be looked at again. If `day` is None, the day was removed.

    If `own` is true, the day is for the person who acted. If `officer` is true, it is the day by which the designated
    officer is to be told, or None once they were told. Otherwise it is for the team.
    """

    day: dt.date | None = None
    own: bool = False
    officer: bool = False

    def __str__(self) -> str:
        if self.officer:
            return f"tell the designated officer by {self.day}" if self.day else "the designated officer was told"
        return f"{self.day or 'no day'} for {'themselves' if self.own else 'the team'}"


class AssignmentRefusedDetails(Details):
    """Details of a refused change of an assignment.

    `person` is the person to assign, or None if the assignment was to be removed.
    """

    person: str | None = None

    def __str__(self) -> str:
        return f"to {self.person or 'nobody'}"


class WithheldDetails(Details):
    """Details of an action that was not carried out, because someone else had changed the concern.

    `wanted` is the name of the action that the person wanted.
    """

    words = "{wanted}"
    wanted: str


class MessageReadDetails(Details):
    """Details of the reporter's first reading of messages: the numbers of the messages."""

    messages: tuple[int, ...]

    def __str__(self) -> str:
        return f"message{'s' if len(self.messages) > 1 else ''} {' '.join(map(str, self.messages))}"


class HandedOverDetails(Details):
    """Details of a hand-over: its number, the file, the recipient, the organisation and the reason.

    `package_sha256` is the digest of the file, and `additions` the number of additions in the file. `recipient` is the
    key to which the file is encrypted, and `body` the organisation.
    """

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
    """Details of the receipt with which another organisation confirmed a hand-over.

    `number` is the number of the hand-over. `receipt_sha256` is the digest of the receipt.
    """

    words = "hand-over {number} receipt sha256:{receipt_sha256}"
    number: int
    receipt_sha256: str


class ExportedDetails(Details):
    """Details of an export. `file_sha256` is the digest of the signed file.

    `notes` is True if the file contains notes. `together` is the number of concerns in a file about one person, or None
    for the export of one concern. `for_person` is True if the file is for that person, without the passages that name
    others.
    """

    file_sha256: str
    notes: bool
    together: int | None = None
    for_person: bool = False

    def __str__(self) -> str:
        notes = f"sha256:{self.file_sha256} {'with' if self.notes else 'without'} notes"
        if self.together is None:
            return notes
        concerns = "1 concern" if self.together == 1 else f"{self.together} concerns"
        whom = "for that person" if self.for_person else "for a court"
        return f"file of one person, {concerns}, {whom}, {notes}"


class CardsGivenDetails(Details):
    """Details of a request for cards: its parameters, and the concerns whose cards and newest labels were returned.

    `scope` and `changed_since` are the parameters of the request. `positions` identifies the concerns: each number is
    the position of the audit log entry that says that a concern was received, in ascending order. `log` is the last
    position of the audit log at the time of the reading. `sha256` is the digest of the returned set.
    """

    scope: str
    changed_since: UtcDateTime | None = None
    log: int = 0
    positions: tuple[int, ...] = ()
    sha256: str

    def __str__(self) -> str:
        since = "" if self.changed_since is None else f", changed since {format_utc(self.changed_since)}"
        concerns = f"{len(self.positions)} concern{'' if len(self.positions) == 1 else 's'}"
        return f"{self.scope}{since}: cards of {concerns} sha256:{self.sha256}"


class LogDetails(Details):
    """Details of a request for the audit log, or for a signed statement about the log: the filters of the request.

    If `chain`, `client`, `person` or `act` is None, the request had no such filter. `first_day` and `last_day` are days
    in London, or None if the request had no such limit.
    """

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
    """Details of a signed checkpoint: the number (`events`) and the hash (`sha256`) of the last event.

    If there is no event yet, `events` is 0 and `sha256` is None.
    """

    events: int = 0
    sha256: str | None = None

    def __str__(self) -> str:
        return f"events 1 to {self.events} sha256:{self.sha256}" if self.events else "no events"


class EntriesLostDetails(Details):
    """Details of lost entries: those after the position `after`, up to `known`, the last position that was known.

    They are from the time between `since` and `until`. If `known` is `after`, a backup was restored, and nothing is
    known of the entries that it lacks.
    """

    after: int
    known: int
    since: UtcDateTime
    until: UtcDateTime

    def __str__(self) -> str:
        time, missing = f"from {self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC", self.known - self.after
        if not missing:
            return f"a backup was restored: actions {time} may be missing"
        actions = "1 action is" if missing == 1 else f"{missing} actions are"
        return f"the database ends before what was known: at least {actions} missing, {time}"


class SummaryDetails(Details):
    """Details of a request for counts, or for the list of people who hold the team's key.

    The fields say which counts or list. At most one kind is set. `statistics`: the monthly statistics. `days`: the
    figures of the last `days` days. `people`: the number of concerns of each person. `keys`: the holders of the team's
    key. `first_month` and `last_month`: the figures of a period, by the first day of its first and last month. If
    nothing is set, the counts are those of the inbox.
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
    """Details of a confirmation that a client has received every event up to the number `event`."""

    words = "{event} by {client}"
    client: str
    event: int


class WebhookDetails(Details):
    """Details of a changed webhook. `on` is True if events are sent to the webhook.

    `sha256` is the digest of the webhook's columns, and `secrets_sha256` the digest of its stored secrets.
    """

    name: str
    on: bool
    sha256: str
    secrets_sha256: str

    def __str__(self) -> str:
        state = "on" if self.on else "off"
        return f"{self.name} {state} sha256:{self.sha256}; secrets sha256:{self.secrets_sha256}"


class InvitedDetails(Details):
    """Details of an invitation: the person, the role, and the fingerprint of the invitation link."""

    words = "{person} as {role}; link {link}"
    person: str
    role: str
    link: str


class PasskeyDetails(Details):
    """Details of a new passkey: its fingerprint, and the fingerprint of the invitation link that was used."""

    words = "passkey {passkey} by link {link}"
    passkey: str
    link: str


class PasskeyRemovedDetails(Details):
    """Details of a removed passkey: its person, and its fingerprint."""

    words = "{person}: passkey {passkey}"
    person: str
    passkey: str


class KeyCopyDetails(PasskeyRemovedDetails):
    """Details of a stored or deleted copy of the team's identities, which only one passkey of `person` opens.

    `passkey` is the fingerprint of the passkey, and `sha256` is the digest of the copy. `keys` has the fingerprints of
    the public keys that belong to the identities in the copy. `replaces` is True if a stored copy replaced an earlier
    copy for this passkey.
    """

    keys: tuple[str, ...]
    sha256: str
    replaces: bool = False

    def __str__(self) -> str:
        former = "; in place of an earlier copy" if self.replaces else ""
        return f"{super().__str__()}, key {' '.join(self.keys)}, sha256:{self.sha256}{former}"


class KeyCopyReadDetails(Details):
    """Details of an action in which people fetched their own encrypted copies of the team's key.

    `passkeys` are the fingerprints of the passkeys that open the copies.
    """

    passkeys: tuple[str, ...]

    def __str__(self) -> str:
        return f"passkey{'s' if len(self.passkeys) > 1 else ''} {' '.join(self.passkeys)}"


class RoleDetails(Details):
    """Details of a change of role: `person`, the role before (`former`) and the new role (`role`).

    `NO_ROLE` stands for no role. `subject` is the id by which an OpenID provider identifies the person, or None for a
    person with passkeys.
    """

    person: str
    former: str
    role: str
    subject: str | None = None

    def __str__(self) -> str:
        known_as = "" if self.subject in (None, self.person) else f" ({self.subject} at the provider)"
        return f"{self.person}{known_as} from {self.former} to {self.role}"


class SessionDetails(Details):
    """Details of a sign-in or sign-out: the fingerprint of the session, or None for all sessions of the person.

    `person` is the person whose sessions another person ended. If people sign in or out themselves, `person` is None.
    """

    session: str | None = None
    person: str | None = None

    def __str__(self) -> str:
        sessions = "every session" if self.session is None else f"session {self.session}"
        return sessions if self.person is None else f"{sessions} of {self.person}"


class ClientDetails(Details):
    """Details of an action about a client: the client's name."""

    words = "{client}"
    client: str


class KeyDetails(ClientDetails):
    """Base class of the details of a client's new key. `key` is the fingerprint of the key.

    `ends` is the time at which the key expires, or None if the key does not expire.
    """

    key: str
    ends: UtcDateTime | None = None

    def __str__(self) -> str:
        ends = "never" if self.ends is None else format_utc(self.ends)
        return f"{self.client}: key {self.key}, ends {ends}"


class ClientAddedDetails(KeyDetails):
    """Details of a new client with its first key.

    If `test` is True, the client may send only test concerns. `person` is the person who uses the client's keys, or
    None for a program.
    """

    scopes: tuple[str, ...]
    test: bool = False
    person: str | None = None

    def __str__(self) -> str:
        kind = "for tests may" if self.test else "may"
        person = "" if self.person is None else f"; person {self.person}"
        return f"{super().__str__()}, {kind} {' '.join(self.scopes)}{person}"


class KeyAddedDetails(KeyDetails):
    """Details of a further key of a client. The client's older keys expire at `older_keys_end` at the latest."""

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
"""The model of the details of each action."""


def details_of(row: Any) -> Any:
    """Return the details of the audit log entry `row`, as an instance of the model for its action.

    Raise `LookupError` if the action of `row` is unknown, or `ValueError` if the details do not fit the action. Both
    errors mean that the row was altered.
    """
    return DETAILS[row.act].model_validate_json(row.detail)


def sentence_of(row: Any) -> str:
    """Return the sentence that people read for the audit log entry `row`.

    If the action of `row` is unknown, or the details do not fit the action, return the details as stored.
    """
    try:
        return str(details_of(row))
    except (ValueError, LookupError):
        return str(row.detail)


def present_audit_entry(row: AuditEntryRow) -> DisclosureEntry:
    """Return the audit log entry `row` as the API returns it.

    If the stored details are not a JSON object, `details` is an empty object.
    """
    columns = row.model_dump(exclude={"position", "detail"})
    try:
        details = parse_json(row.detail)
    except ValueError:
        details = None
    return DisclosureEntry(**columns, detail=sentence_of(row), details=details if isinstance(details, dict) else {})


def audit_entry_row(entry: Mapping[str, Any]) -> AuditEntryRow:
    """Return the table row of `entry`, an audit log entry as JSON values.

    The column `detail` of the row is made from the member `details`, in the form that is stored and hashed. Raise
    `KeyError`, `TypeError` or `ValueError` if `entry` lacks `at` or `details`, or has an invalid value for one of them.
    """
    columns = {name: value for name, value in entry.items() if name != "details"}
    stored = {"at": dt.datetime.fromisoformat(entry["at"]), "detail": canonical_json(entry["details"]).decode()}
    return AuditEntryRow(**columns | stored)


def others_acts_to_see(act: DeskAct) -> frozenset[DeskAct]:
    """Return the actions of others that a person must have seen before they do `act`.

    The result is empty for actions that do not depend on others, such as writing a note.
    """
    if act in ASSIGNING_ACTS:
        return ASSIGNING_ACTS
    return TO_SEE_FIRST if act in DECIDING_ACTS else frozenset()
