"""The errors of the domain, each in a sentence. One that callers of the API are told carries its problem (RFC 9457).

The command line prints the docstring of an error that was raised without a message.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Literal, Self

Location = tuple[str | int, ...]


class FaultCode(StrEnum):
    """The kinds of faults: a closed list for this version, and each code keeps its meaning."""

    meaning: str

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

    def __new__(cls, code: str, meaning: str) -> Self:
        """Create the member for the code, with its meaning."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


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

    def __init_subclass__(cls, **options: Any) -> None:
        """Take the meaning from the docstring, if the class has a slug and no meaning."""
        super().__init_subclass__(**options)
        if "slug" in vars(cls) and "meaning" not in vars(cls):
            cls.meaning = cls.__doc__ or ""

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


class BadRequest(Problem):
    """The request cannot be read as it stands. The detail says which part."""

    slug, status, title = "bad-request", 400, "Bad request"


class UnreadableBody(Problem):
    """The body must be one JSON object (RFC 8259) in UTF-8."""

    slug, status, title = "unreadable-body", 400, "The body cannot be read"


class UnknownHost(Problem):
    """The Host header names another host. Its operator names the hosts of this service in GUIDANCE_ALLOWED_HOSTS."""

    slug, status, title = "unknown-host", 400, "Not a name of this service"


class OriginNotAllowed(Problem):
    """Pages of this origin may not send this request. The operator names origins in GUIDANCE_ALLOWED_ORIGINS."""

    slug, status, title = "origin-refused", 400, "Not for this origin"


class MethodNotAllowed(Problem):
    """The Allow header lists the methods of this path."""

    slug, status, title = "method-not-allowed", 405, "Method not allowed"


class RequestTimeout(Problem):
    """Send the request again, or telephone."""

    slug, status, title = "too-slow", 408, "The body did not arrive in time"


class ContentTooLarge(Problem):
    """A body may have 1,000,000 bytes and 10,000 values. Send less, or telephone."""

    slug, status, title = "too-large", 413, "The body is too large"


class UnsupportedMediaType(Problem):
    """Send `Content-Type: application/json`."""

    slug, status, title = "not-json", 415, "The body is not JSON"


class RateLimited(Problem):
    """The caller sent more requests than one caller may."""

    slug, status, title = "too-often", 429, "Too many requests"
    meaning = (
        "Too many requests came from this caller. Try again after Retry-After seconds, with the same Idempotency-Key. "
        "Whoever is worried about a child need not wait: telephone."
    )


class TooManyTries(RateLimited):
    """Too many wrong status tokens came for one concern. After `seconds` they are read again."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.headers = {"Retry-After": str(seconds)}


class InternalError(Problem):
    """It is logged under the id in `instance`."""

    slug, status, title = "internal-error", 500, "Something went wrong here"


class ServiceUnavailable(Problem):
    """The request could not be completed in time."""

    slug, status, title = "busy", 503, "Not available just now"
    meaning = (
        "The request could not be completed in time. Try again after Retry-After seconds, with the same "
        "Idempotency-Key."
    )
    headers: Mapping[str, str] = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class StoreBusy(ServiceUnavailable):
    """The write was not confirmed in time. It may not be stored, and the caller should try again."""


class ReferenceTaken(ServiceUnavailable):
    """Another concern already has the new reference."""


class RowNotStored(ServiceUnavailable):
    """The database took a row and did not store it: another program added a rule to it."""


# Faults in what was sent


class ValidationFailed(Problem):
    """What was sent has faults. The error carries every fault that was found."""

    slug, status, title = "not-accepted", 422, "Not accepted as it stands"
    meaning = "Some fields have faults. `errors` tells each, with its place."

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = tuple(faults)


class InvalidEdition(ValidationFailed):
    """The content of an edition has faults."""


class InvalidRendition(ValidationFailed):
    """The content of a rendition has faults."""


class InvalidConcern(ValidationFailed):
    """A concern has faults. The response still gives the numbers to call."""


class InvalidQuery(ValidationFailed):
    """The value of a query parameter is not of its kind."""

    slug, status, title = "invalid-query", 400, "A query parameter cannot be used"

    @property
    def detail(self) -> str | None:
        """The sentence of the first fault."""
        return self.faults[0].detail


class UnknownQuery(InvalidQuery):
    """A query parameter is unknown. Unknown ones are refused, so that a misspelt filter never returns everything."""

    slug, status, title = "unknown-query", 400, "The query cannot be used"


class RepeatedQuery(InvalidQuery):
    """A query parameter is given more than once. Give it once."""

    slug, status, title = "repeated-query", 400, "A query parameter twice"


class InvalidCursor(InvalidQuery):
    """The cursor is not one that this service gave. Begin again."""

    slug, status, title = "invalid-cursor", 400, "The cursor cannot be used"

    def __init__(self, detail: str, *, parameter: str = "cursor") -> None:
        super().__init__([FieldError((), detail, FaultCode.WRONG_FORM, "query", parameter)])


class InvalidMoment(InvalidQuery):
    """`as_of` is a day or a moment (RFC 3339), and Accept-Datetime a date as HTTP writes it."""

    slug, status, title = "invalid-moment", 400, "The time cannot be used"


class SeveralIdempotencyKeys(Problem):
    """Send one Idempotency-Key header, and one value in it."""

    slug, status, title = "two-keys", 400, "Two idempotency keys"


class IdempotencyKeyReused(Problem):
    """The idempotency key was used before, with another payload."""

    slug, status, title = "key-reused", 422, "Idempotency key used before"
    meaning = "This Idempotency-Key was used for other words. Use a new key for new words."


class AlreadyStored(IdempotencyKeyReused):
    """The idempotency key was used before, and the first request has the receipt."""


# What is not there


class NotFound(Problem):
    """Nothing exists at that path."""

    slug, status, title = "not-found", 404, "Not found"
    meaning = "Nothing answers to this path. GET /v1 lists what there is."


class NoSuchGuide(NotFound):
    """No guide has that name."""

    slug, status, title = "no-such-guide", 404, "No such guide"
    meaning = "No guide has that name. GET /v1/guides lists them."


class NoSuchEdition(NotFound):
    """The guide exists; that edition does not."""

    slug, status, title = "no-such-edition", 404, "No such edition"
    meaning = "The guide has no edition of that number. Its history lists them."


class NoSuchRendition(NotFound):
    """The guide exists; it has no such rendition."""

    slug, status, title = "no-such-rendition", 404, "No such rendition"
    meaning = (
        "The guide has no rendition in this language, or none of this number. Its list of renditions has those that "
        "exist."
    )


class NoSuchItem(NotFound):
    """The list exists; that item is not in it. A message says which list, where it is not an edition's."""

    slug, status, title = "no-such-item", 404, "No such item"
    meaning = "Nothing is listed there by that id, number or name. `detail` says in which list."
    message_is_told = True


class NoSuchCodeList(NotFound):
    """No code list has that name."""

    slug, status, title = "no-such-code-list", 404, "No such code list"
    meaning = "GET /v1/code-lists lists them."


class NoSuchConcern(NotFound):
    """No concern has that reference and status token; at the desk, which needs no token, a message says so."""

    slug, status, title = "no-such-concern", 404, "No such concern"
    meaning = "No concern answers to this reference and status token together. Check both for a slip."
    message_is_told = True


class NoSuchGuideDraft(NotFound):
    """The guide has no draft. It was published or removed, or never begun."""

    slug, status, title = "no-such-draft", 404, "No such draft"


class NoSuchDraft(NotFound):
    """No saved form has that code, or it was opened, or its time is over."""


class PdfUnavailable(Problem):
    """The service was installed without the programs that make PDFs."""

    slug, status, title = "not-printed-here", 404, "There is no PDF here"
    meaning = (
        "This service was installed without the extra `print`, which makes PDFs, or its font does not have the letters "
        "of this language. The guide is there in its other forms."
    )


# Who may do what


class TokenMissing(Problem):
    """Send `Authorization: Bearer` with a token that this service gave."""

    slug, status, title = "token-needed", 401, "A token is needed"
    headers: Mapping[str, str] = {"WWW-Authenticate": CHALLENGE}


class TokenInvalid(Problem):
    """The bearer token is unknown, or is no longer valid. The message is the reason, for the log alone."""

    slug, status, title = "token-unknown", 401, "The token is not known"
    meaning = "The bearer token is not one that this service knows, or no longer."
    headers: Mapping[str, str] = {"WWW-Authenticate": f'{CHALLENGE} error="invalid_token"'}


class ScopeMissing(Problem):
    """The caller is known, and lacks the scope that this route needs."""

    slug, status, title = "scope-missing", 403, "Not allowed"

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.headers = {"WWW-Authenticate": f'{CHALLENGE} error="insufficient_scope", scope="{scope}"'}


class ProviderUnavailable(Problem):
    """The OpenID provider's keys could not be read, so its tokens cannot be checked. The message is for the log."""

    slug, status, title = "provider-away", 503, "Tokens cannot be checked just now"
    meaning = "The identity provider does not answer. Try again soon."
    headers = ServiceUnavailable.headers


class ClientExists(GuidanceError):
    """There is already a client of that name."""


class NoSuchClient(GuidanceError):
    """No client has that name."""


class NoSuchPerson(GuidanceError):
    """No person at the desk has that name."""


# Editions, renditions and drafts of guides


class EditionWithdrawn(Problem):
    """The edition was published and has been withdrawn, with a reason."""

    slug, status, title = "edition-withdrawn", 410, "Edition withdrawn"
    meaning = "The edition was withdrawn. The detail gives the reason."
    message_is_told = True

    def __init__(self, *, reason: str, replaced_by: int | None) -> None:
        super().__init__(reason)
        self.replaced_by = replaced_by


class RenditionWithdrawn(Problem):
    """The rendition was published and has been withdrawn, with a reason."""

    slug, status, title = "rendition-withdrawn", 410, "Rendition withdrawn"
    meaning = "The rendition, or the edition that it is of, was withdrawn. The detail gives the reason."
    message_is_told = True


class EditionAlreadyPublished(Problem):
    """That number already has other content, and a published edition never changes."""

    slug, status, title = "already-published", 409, "Already published"
    meaning = "Other words stand under that number. A published edition never changes: a correction is the next number."


class EditionOutOfOrder(Problem):
    """Editions are numbered 1, 2, 3 without a gap."""

    slug, status, title = "out-of-order", 409, "Out of order"


class PreconditionMissing(Problem):
    """Send If-Match with the ETag of the guide's current edition, so that two editors cannot overwrite each other."""

    slug, status, title = "precondition-missing", 428, "Say which edition this follows"


class PreconditionFailed(Problem):
    """The ETag in If-Match is not that of the guide's current edition. Read it again, and publish on top of it."""

    slug, status, title = "precondition-failed", 412, "Another edition was published"


class AlreadyWithdrawn(Problem):
    """The edition is already withdrawn, with another reason."""

    slug, status, title = "already-withdrawn", 409, "Already withdrawn"
    meaning = "The edition was withdrawn before, with another reason."


class DraftNotNamed(Problem):
    """Send If-Match with the ETag of the draft as it was read, so that two editors cannot overwrite each other."""

    slug, status, title = "draft-not-named", 428, "Say which draft this follows"


class DraftChanged(Problem):
    """The ETag in If-Match is not that of the draft as it is now. Nothing was changed. Read the draft again."""

    slug, status, title = "draft-changed", 412, "The draft was changed"


class SecondPersonNeeded(Problem):
    """The caller wrote words of this draft. A client or person that wrote none of it must publish it."""

    slug, status, title = "second-person-needed", 403, "Another person must publish it"


class FollowsAnotherEdition(Problem):
    """The guide's last edition is not the one that the caller says."""

    slug, status, title = "follows-another-edition", 409, "The last edition is another one"
    meaning = (
        "`follows` is not the number of the guide's last edition, or is null although the guide has editions. Read the "
        "draft's changes, and say which edition it follows."
    )


# Concerns, and the desk's work


class UnsealingUnavailable(Problem):
    """No identity of this process opens the concern. The sealed file can be opened elsewhere."""

    slug, status, title = "not-opened-here", 406, "It cannot be opened here"
    meaning = (
        "This service holds no identity that opens this concern. Ask for `application/age`, and open the file yourself."
    )


class SealedTextMisplaced(Problem):
    """The sealed text belongs to another concern, so nothing of it is shown: run `guidance verify` on the server."""

    slug, status, title = "sealed-text-misplaced", 500, "This concern is damaged"
    meaning = (
        "The sealed text that is stored here belongs to another concern, so nothing of it is shown. The operator finds "
        "what was changed with `guidance verify`."
    )


class ConcernErased(Problem):
    """The text of the concern was erased. Its dates and its outcome remain."""

    slug, status, title = "concern-erased", 410, "Erased"
    meaning = "The words of this concern were erased. Its dates remain in the inbox."


class NotAcknowledged(Problem):
    """The concern, and everything that was added to it, must be acknowledged first."""

    slug, status, title = "not-acknowledged", 409, "Not acknowledged yet"
    meaning = "Nobody has acknowledged this concern, or something that was added to it. That comes first."


class TooManyAdditions(Problem):
    """The concern has as many additions, or as large ones, as it may have. The response gives the numbers to call."""

    slug, status, title = "too-many-additions", 429, "No more can be added to this concern"
    meaning = (
        "A concern takes 200 additions, and 20,000,000 bytes of them. This one was not stored: telephone, and give the "
        "reference."
    )


class TooManyMessages(Problem):
    """The reporter of a concern is sent 100 messages at most. This one was not stored."""

    slug, status, title = "too-many-messages", 429, "Too many messages"


class TooManyNotes(Problem):
    """A concern takes 500 notes, and 5,000,000 bytes of them. This one was not stored."""

    slug, status, title = "too-many-notes", 409, "No more notes about this concern"


class AssignmentChanged(Problem):
    """Somebody assigned the concern since the caller read its assignment. The message says who has it now."""

    slug, status, title = "assignment-changed", 412, "Somebody assigned it meanwhile"
    meaning = (
        "The ETag in If-Match is not that of the assignment as it is now. Nothing was changed. The attempt is on "
        "record."
    )
    message_is_told = True


class ChangedMeanwhile(AssignmentChanged):
    """Since the person was shown the concern, something happened that they should see before they decide."""


class OnHold(Problem):
    """The concern is on hold, so it is not erased."""

    slug, status, title = "on-hold", 409, "On hold"
    meaning = "This concern is on hold, and is not erased until the hold is lifted."


class OutcomeGiven(Problem):
    """The concern is already closed, with another outcome."""

    slug, status, title = "outcome-given", 409, "Already closed"
    meaning = "This concern was closed with another outcome."


class CursorAhead(Problem):
    """The cursor is after the last event: it is of another database, or of this one before a restore."""

    slug, status, title = "cursor-ahead", 409, "The cursor is after the last event"
    meaning = (
        "No event has this cursor yet. The database may have been restored from a backup. Call without `after`: the "
        "page then begins after the last event that this client confirmed."
    )


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
