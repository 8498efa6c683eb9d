"""The errors of the domain, each in a sentence. One that callers of the API are told carries its problem (RFC 9457).

The command line prints the docstring of an error that was raised without a message.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal, Self

Location = tuple[str | int, ...]


class CodeWithMeaning(StrEnum):
    """Codes, each with its meaning in a sentence."""

    meaning: str

    def __new__(cls, code: str, meaning: str = "") -> Self:
        """Create the member for the code, with its meaning."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class FaultCode(CodeWithMeaning):
    """The kinds of faults: a closed list for this version, and each code keeps its meaning."""

    REQUIRED = "required", "The member or parameter must be there."
    BLANK = "blank", "The text is empty, or has spaces alone."
    UNKNOWN_FIELD = "unknown-field", "No member of this name is known here. It may be misspelt."
    UNKNOWN_PARAMETER = "unknown-parameter", "No query parameter of this name is known here. It may be misspelt."
    REPEATED_PARAMETER = "repeated-parameter", "The query parameter is there more than once."
    WRONG_TYPE = "wrong-type", "The value is of another JSON type than is needed."
    WRONG_FORM = "wrong-form", "The value is not written in the form that is needed."
    NOT_A_DATE = "not-a-date", "The value is no date, or not the full date that is needed."
    NOT_AN_ADDRESS = "not-an-address", "The value is no http or https address."
    NOT_LISTED = "not-listed", "The value is none of the few that the document lists."
    UNKNOWN_CODE = "unknown-code", "The value is no code of its code list."
    UNKNOWN_GUIDE = "unknown-guide", "No guide has this name."
    UNKNOWN_EDITION = "unknown-edition", "The guide has no edition of this number."
    UNKNOWN_ITEM = "unknown-item", "The edition has no item of this id."
    TOO_LONG = "too-long", "The text has more characters than are allowed."
    TOO_FEW = "too-few", "The list has fewer entries than are needed."
    TOO_MANY = "too-many", "The list has more entries than are allowed."
    TOO_SMALL = "too-small", "The number is lower than is allowed."
    TOO_LARGE = "too-large", "The number is higher than is allowed."
    DUPLICATE_ID = "duplicate-id", "The same id is there twice in one list."
    OUT_OF_ORDER = "out-of-order", "The positions do not run 1, 2, 3 in the order of the list."
    NOT_REACHABLE = "not-reachable", "A contact has neither the number nor the address that its kind needs."
    INVALID = "invalid", "Something else is wrong; the detail says what."


class CodedValueError(ValueError):
    """A value that a model refuses, with the code of the fault. Its message is a sentence for the caller."""

    def __init__(self, code: FaultCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


Source = Literal["body", "query", "path", "header", "cookie"]


@dataclass(frozen=True)
class FieldError:
    """One fault in what was sent: its place, a sentence that a form can show beside the field, and its code.

    `at` is the place within the body. For another part of the request, `source` says which, and `parameter` names it.
    `template` is the sentence, with a name in braces for each of `values`: so it can be translated.
    """

    at: Location
    template: str
    code: FaultCode = FaultCode.INVALID
    source: Source = "body"
    parameter: str | None = None
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def detail(self) -> str:
        """The sentence with its values."""
        return self.fill_in(self.template)

    def fill_in(self, template: str) -> str:
        """Return the template, this one's or its translation, with the values."""
        return template.format_map(self.values) if self.values else template


MAX_FAULTS = 10
RETRY_AFTER_SECONDS = 5
CHALLENGE = "Bearer"


class GuidanceError(Exception):
    """The base of every error that this service raises on purpose. Its message never repeats what was sent."""


class Problem(GuidanceError):
    """An error that callers of the API are told. `meaning` is the docstring of the class where it gives no other.

    A class without a slug of its own is the same problem to callers as the class that it is derived from.
    """

    slug: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    meaning: ClassVar[str]
    message_is_told: ClassVar[bool] = False
    """Whether the message, where there is one, is told in place of the meaning."""
    headers: Mapping[str, str] = {}
    """Header fields of the response."""
    faults: tuple[FieldError, ...] = ()

    def __init_subclass__(cls, *, slug: str | None = None, status: int = 0, title: str = "") -> None:
        """Set what callers are told of the class, if it is a problem of its own."""
        super().__init_subclass__()
        if slug is not None:
            cls.slug, cls.status, cls.title = slug, status, title
            if "meaning" not in vars(cls):
                cls.meaning = " ".join((cls.__doc__ or "").split())

    @property
    def detail(self) -> str | None:
        """What is told of this occurrence in place of the meaning."""
        return str(self) or None if self.message_is_told else None


def all_problems() -> list[type[Problem]]:
    """Return each class that has a slug of its own, by status and slug."""
    found = [each for each in _derived_from(Problem) if "slug" in vars(each)]
    return sorted(found, key=lambda each: (each.status, each.slug))


def _derived_from(kind: type[Problem]) -> Iterator[type[Problem]]:
    for each in kind.__subclasses__():
        yield each
        yield from _derived_from(each)


# Requests that cannot be served as they stand


class BadRequest(Problem, slug="bad-request", status=400, title="Bad request"):
    """The request cannot be read as it stands. The detail says which part."""


class UnreadableBody(Problem, slug="unreadable-body", status=400, title="The body cannot be read"):
    """The body must be one JSON object (RFC 8259) in UTF-8."""


class UnknownHost(Problem, slug="unknown-host", status=400, title="Not a name of this service"):
    """The Host header names another host. Its operator names the hosts of this service in GUIDANCE_ALLOWED_HOSTS."""


class OriginNotAllowed(Problem, slug="origin-refused", status=400, title="Not for this origin"):
    """Pages of this origin may not send this request. The operator names origins in GUIDANCE_ALLOWED_ORIGINS."""


class MethodNotAllowed(Problem, slug="method-not-allowed", status=405, title="Method not allowed"):
    """The Allow header lists the methods of this path."""


class RequestTimeout(Problem, slug="too-slow", status=408, title="The body did not arrive in time"):
    """Send the request again, or telephone."""


class ContentTooLarge(Problem, slug="too-large", status=413, title="The body is too large"):
    """A body may have 1,000,000 bytes and 10,000 values. Send less, or telephone."""


class UnsupportedMediaType(Problem, slug="not-json", status=415, title="The body is not JSON"):
    """Send `Content-Type: application/json`."""


class RateLimited(Problem, slug="too-often", status=429, title="Too many requests"):
    """Too many requests came from this caller. Try again after Retry-After seconds, with the same Idempotency-Key.

    Whoever is worried about a child need not wait: telephone.
    """

    def __init__(self, seconds: int | None = None, message: str | None = None) -> None:
        super().__init__(*([] if message is None else [message]))
        if seconds is not None:
            self.headers = {"Retry-After": str(seconds)}


class TooManyTries(RateLimited):
    """A wrong code came, after too many others for the same concern or form. The right one is never refused."""

    message_is_told = True

    def __init__(self, seconds: int) -> None:
        super().__init__(
            seconds,
            "Too many wrong codes came for this, and this one is wrong too. The right code is read at any time. "
            "Whoever is worried about a child need not wait: telephone.",
        )


class TooManyConcerns(RateLimited):
    """Too many concerns came without a key from one network. After so many seconds they are taken again."""


class TooManySavedForms(RateLimited):
    """One network has saved as many forms as its share."""


class InternalError(Problem, slug="internal-error", status=500, title="Something went wrong here"):
    """It is logged under the id in `instance`."""


class ServiceUnavailable(Problem, slug="busy", status=503, title="Not available just now"):
    """The request could not be completed in time.

    Try again after Retry-After seconds, with the same Idempotency-Key.
    """

    headers: Mapping[str, str] = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class StoreBusy(ServiceUnavailable):
    """The write was not confirmed in time. It may not be stored, and the caller should try again."""


class SavedFormsFull(ServiceUnavailable):
    """All saved forms together have as many bytes as they may."""


class ReferenceTaken(ServiceUnavailable):
    """Another concern already has the new reference."""


class RowNotStored(ServiceUnavailable):
    """The database took a row and did not store it: another program added a rule to it."""


# Faults in what was sent


class ValidationFailed(Problem, slug="not-accepted", status=422, title="Not accepted as it stands"):
    """Some fields have faults. `errors` tells each, with its place."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = tuple(faults)


class InvalidEdition(ValidationFailed):
    """The content of an edition has faults."""


class InvalidRendition(ValidationFailed):
    """The content of a rendition has faults."""


class InvalidConcern(ValidationFailed):
    """A concern has faults. The response still gives the numbers to call."""


class InvalidQuery(ValidationFailed, slug="invalid-query", status=400, title="A query parameter cannot be used"):
    """The value of a query parameter is not of its kind."""

    @property
    def detail(self) -> str | None:
        """The sentence of the first fault."""
        return self.faults[0].detail


class UnknownQuery(InvalidQuery, slug="unknown-query", status=400, title="The query cannot be used"):
    """A query parameter is unknown. Unknown ones are refused, so that a misspelt filter never returns everything."""


class RepeatedQuery(InvalidQuery, slug="repeated-query", status=400, title="A query parameter twice"):
    """A query parameter is given more than once. Give it once."""


class InvalidCursor(InvalidQuery, slug="invalid-cursor", status=400, title="The cursor cannot be used"):
    """The cursor is not one that this service gave. Begin again."""

    def __init__(self, detail: str, *, parameter: str = "cursor") -> None:
        super().__init__([FieldError((), detail, FaultCode.WRONG_FORM, "query", parameter)])


class InvalidMoment(InvalidQuery, slug="invalid-moment", status=400, title="The time cannot be used"):
    """`as_of` is a day or a moment (RFC 3339), and Accept-Datetime a date as HTTP writes it."""


class SeveralIdempotencyKeys(Problem, slug="two-keys", status=400, title="Two idempotency keys"):
    """Send one Idempotency-Key header, and one value in it."""


class IdempotencyKeyReused(Problem, slug="key-reused", status=422, title="Idempotency key used before"):
    """This Idempotency-Key was used for other words. Use a new key for new words."""


class AlreadyStored(IdempotencyKeyReused):
    """The idempotency key was used before, and the first request has the receipt."""


# What is not there


class NotFound(Problem, slug="not-found", status=404, title="Not found"):
    """Nothing answers to this path. GET /v1 lists what there is."""


class NoSuchGuide(NotFound, slug="no-such-guide", status=404, title="No such guide"):
    """No guide has that name."""

    meaning = "No guide has that name. GET /v1/guides lists them."


class NoSuchEdition(NotFound, slug="no-such-edition", status=404, title="No such edition"):
    """The guide exists; that edition does not."""

    meaning = "The guide has no edition of that number. Its history lists them."


class NoSuchRendition(NotFound, slug="no-such-rendition", status=404, title="No such rendition"):
    """The guide exists; it has no such rendition."""

    meaning = (
        "The guide has no rendition in this language, or none of this number. Its list of renditions has those that "
        "exist."
    )


class NoSuchItem(NotFound, slug="no-such-item", status=404, title="No such item"):
    """The list exists; that item is not in it. A message says which list, where it is not an edition's."""

    meaning = "Nothing is listed there by that id, number or name. `detail` says in which list."
    message_is_told = True


class NoSuchCodeList(NotFound, slug="no-such-code-list", status=404, title="No such code list"):
    """GET /v1/code-lists lists them."""


class NoSuchConcern(NotFound, slug="no-such-concern", status=404, title="No such concern"):
    """No concern has that reference and status token; at the desk, which needs no token, a message says so."""

    meaning = "No concern answers to this reference and status token together. Check both for a slip."
    message_is_told = True


class NoSuchGuideDraft(NotFound, slug="no-such-draft", status=404, title="No such draft"):
    """The guide has no draft. It was published or removed, or never begun."""


class NoSuchDraft(NotFound):
    """No saved form has that code, or it was sent, or saved again, or its time is over."""


class PdfUnavailable(Problem, slug="not-printed-here", status=404, title="There is no PDF here"):
    """The service was installed without the programs that make PDFs."""

    meaning = (
        "This service was installed without the extra `print`, which makes PDFs, or its font does not have the letters "
        "of this language. The guide is there in its other forms."
    )


# Who may do what


class TokenMissing(Problem, slug="token-needed", status=401, title="A token is needed"):
    """Send `Authorization: Bearer` with a token that this service gave."""

    headers: Mapping[str, str] = {"WWW-Authenticate": CHALLENGE}


class TokenInvalid(Problem, slug="token-unknown", status=401, title="The token is not known"):
    """The bearer token is unknown, or is no longer valid. The message is the reason, for the log alone."""

    meaning = "The bearer token is not one that this service knows, or no longer."
    headers: Mapping[str, str] = {"WWW-Authenticate": f'{CHALLENGE} error="invalid_token"'}


class SessionUnconfirmed(TokenInvalid):
    """The provider is to be asked again who the person is, and their role. The session has not ended otherwise."""


class RowNotOurs(TokenInvalid):
    """A row that lets somebody in was not written by this service, so it lets nobody in."""

    def __init__(self, table: str) -> None:
        super().__init__(f"a row of {table} was not written by this service: run guidance verify")


class ScopeMissing(Problem, slug="scope-missing", status=403, title="Not allowed"):
    """The caller is known, and lacks the scope that this route needs."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.headers = {"WWW-Authenticate": f'{CHALLENGE} error="insufficient_scope", scope="{scope}"'}


class ProviderUnavailable(Problem, slug="provider-away", status=503, title="Tokens cannot be checked just now"):
    """The identity provider does not answer. Try again soon."""

    headers = ServiceUnavailable.headers


class ClientExists(GuidanceError):
    """There is already a client of that name."""


class NoSuchClient(GuidanceError):
    """No client has that name."""


class NoSuchPerson(GuidanceError):
    """No person at the desk has that name."""


# Editions, renditions and drafts of guides


class EditionWithdrawn(Problem, slug="edition-withdrawn", status=410, title="Edition withdrawn"):
    """The edition was withdrawn. The detail gives the reason."""

    message_is_told = True

    def __init__(self, *, reason: str, replaced_by: int | None) -> None:
        super().__init__(reason)
        self.replaced_by = replaced_by


class RenditionWithdrawn(Problem, slug="rendition-withdrawn", status=410, title="Rendition withdrawn"):
    """The rendition, or the edition that it is of, was withdrawn. The detail gives the reason."""

    message_is_told = True


class EditionAlreadyPublished(Problem, slug="already-published", status=409, title="Already published"):
    """That number already has other content, and a published edition never changes."""

    meaning = "Other words stand under that number. A published edition never changes: a correction is the next number."


class EditionOutOfOrder(Problem, slug="out-of-order", status=409, title="Out of order"):
    """Editions are numbered 1, 2, 3 without a gap."""


class PreconditionMissing(Problem, slug="precondition-missing", status=428, title="Say which edition this follows"):
    """Send If-Match with the ETag of the guide's current edition, so that two editors cannot overwrite each other."""


class PreconditionFailed(Problem, slug="precondition-failed", status=412, title="Another edition was published"):
    """The ETag in If-Match is not that of the guide's current edition. Read it again, and publish on top of it."""


class AlreadyWithdrawn(Problem, slug="already-withdrawn", status=409, title="Already withdrawn"):
    """The edition is already withdrawn, with another reason."""

    meaning = "The edition was withdrawn before, with another reason."


class DraftNotNamed(Problem, slug="draft-not-named", status=428, title="Say which draft this follows"):
    """Send If-Match with the ETag of the draft as it was read, so that two editors cannot overwrite each other."""


class DraftChanged(Problem, slug="draft-changed", status=412, title="The draft was changed"):
    """The ETag in If-Match is not that of the draft as it is now. Nothing was changed. Read the draft again."""


class SecondPersonNeeded(Problem, slug="second-person-needed", status=403, title="Another person must publish it"):
    """The caller wrote words of this draft. A client or person that wrote none of it must publish it.

    Where the council decided that two people publish, nothing is published but drafts of people.
    """


class NobodyPublishesAlone(SecondPersonNeeded):
    """The council decided that two people publish, and this would be published by one."""

    message_is_told = True

    def __init__(self) -> None:
        super().__init__(
            "The council decided that two people publish. Write the words as a draft; a person who wrote none of it "
            "publishes it."
        )


class HandUnknown(SecondPersonNeeded):
    """The council decided that two people publish, and a client that names no person has a hand in this draft."""

    message_is_told = True

    def __init__(self) -> None:
        super().__init__(
            "The council decided that two people publish, and a client that names no person wrote words of this draft, "
            "or is to publish it. Give that client a person, or write the words as a person."
        )


class FollowsAnotherEdition(
    Problem, slug="follows-another-edition", status=409, title="The last edition is another one"
):
    """`follows` is not the number of the guide's last edition, or is null although the guide has editions.

    Read the draft's changes, and say which edition it follows.
    """


# Concerns, and the desk's work


class UnsealingUnavailable(Problem, slug="not-opened-here", status=406, title="It cannot be opened here"):
    """This service holds no identity that opens this concern.

    Ask for `application/age`, and open the file yourself.
    """


class SealedTextMisplaced(Problem, slug="sealed-text-misplaced", status=500, title="This concern is damaged"):
    """The sealed text that is stored here belongs to another concern, so nothing of it is shown.

    The operator finds what was changed with `guidance verify`.
    """


class ConcernErased(Problem, slug="concern-erased", status=410, title="Erased"):
    """The words of this concern were erased. Its dates remain in the inbox."""


class NotAcknowledged(Problem, slug="not-acknowledged", status=409, title="Not acknowledged yet"):
    """Nobody has acknowledged this concern, or something that was added to it. That comes first."""


class TooManyAdditions(Problem, slug="too-many-additions", status=429, title="No more can be added to this concern"):
    """A concern takes 200 additions, and 20,000,000 bytes of them.

    This one was not stored: telephone, and give the reference.
    """


class TooManyMessages(Problem, slug="too-many-messages", status=429, title="Too many messages"):
    """The reporter of a concern is sent 100 messages at most. This one was not stored."""


class TooManyNotes(Problem, slug="too-many-notes", status=409, title="No more notes about this concern"):
    """A concern takes 500 notes, and 5,000,000 bytes of them. This one was not stored."""


class AssignmentChanged(Problem, slug="assignment-changed", status=412, title="Somebody assigned it meanwhile"):
    """The ETag in If-Match is not that of the assignment as it is now. Nothing was changed.

    The attempt is on record.
    """

    message_is_told = True


class ChangedMeanwhile(AssignmentChanged):
    """Since the person was shown the concern, something happened that they should see before they decide."""


class OnHold(Problem, slug="on-hold", status=409, title="On hold"):
    """This concern is on hold, and is not erased until the hold is lifted."""


class OutcomeGiven(Problem, slug="outcome-given", status=409, title="Already closed"):
    """This concern was closed with another outcome."""


class CursorAhead(Problem, slug="cursor-ahead", status=409, title="The cursor is after the last event"):
    """No event has this cursor yet. The database may have been restored from a backup.

    Call without `after`: the page then begins after the last event that this client confirmed.
    """


class DeskRequestFailed(GuidanceError):
    """The service did not do what was requested of it."""


class DeskUnreachable(DeskRequestFailed):
    """The service gave no answer, so it is not known whether it did what was sent."""


class KeysNotKnown(GuidanceError):
    """The service names a key to seal to that nobody named to this program."""


# Proofs, exports and webhooks


class ReceiptNotGenuine(GuidanceError):
    """The receipt was not signed with any of those keys, or was changed later."""


class CheckpointNotGenuine(GuidanceError):
    """The checkpoint was not signed with any of those keys, or was changed later."""


class ExportNotGenuine(GuidanceError):
    """The export was not signed by that service, or was changed later."""


class NotExportable(GuidanceError):
    """A public read failed or was incomplete, so the export would have a gap."""


class AddressNotAllowed(GuidanceError):
    """Webhooks may not call that address."""


class WebhookExists(GuidanceError):
    """There is already a webhook of that name."""


class NoSuchWebhook(GuidanceError):
    """No webhook has that name."""


class WebhookSecretUnreadable(GuidanceError):
    """The secret of the webhook cannot be decrypted with the keys here (GUIDANCE_WEBHOOK_KEY_FILE)."""


# The database, settings and seed files


class ClockInDoubt(GuidanceError):
    """The clock of this machine and the time that was last known are more than a day apart, so nothing is erased."""


class BackupRefused(GuidanceError):
    """The backup cannot be made or restored at present."""


class DatabaseUnreadable(GuidanceError):
    """The database does not answer, or the rest of it cannot be read."""


class SchemaBehind(GuidanceError):
    """The database has an older schema than this program needs: run `guidance migrate` on one node."""


class SchemaUnknown(GuidanceError):
    """The database has a schema that this program does not know: a newer version or another program made it."""


class SchemaAltered(GuidanceError):
    """A table, an index or a rule of the database is not as this program declares it, so the database is not used."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(
            "The database is not as this program made it, and is not used: "
            f"{'; '.join(faults[:MAX_FAULTS])}{f'; and {len(faults) - MAX_FAULTS} more' * (len(faults) > MAX_FAULTS)}. "
            "`guidance verify` lists every fault. Restore a backup, or find out who changed it."
        )


class SetupError(GuidanceError):
    """A setting or a key file is missing or wrong; the service will not start with it."""


@dataclass(frozen=True, order=True)
class SeedError:
    """One fault in a seed file: its line from 1 (0 where it has none) and a sentence with the location."""

    line: int
    reason: str


class SeedFileError(GuidanceError):
    """A seed file cannot be used. Its message has a line for each fault; `line` and `reason` are those of the first.

    `warnings` are what is rarely meant in what can be read of it.
    """

    def __init__(self, path: Path, faults: Sequence[SeedError], warnings: Sequence[SeedError] = ()) -> None:
        self.path = path
        self.warnings = tuple(warnings)
        self.faults = tuple(sorted(faults))
        self.line = self.faults[0].line or None
        self.reason = self.faults[0].reason
        super().__init__("\n".join(self._format(fault) for fault in self.faults))

    def _format(self, fault: SeedError) -> str:
        return f"{self.path}{f', line {fault.line}' if fault.line else ''}: {fault.reason}"
