"""The errors of the domain. Errors that are reported to API callers have problem details (RFC 9457).

The command line prints the docstring of an error raised without a message.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import ClassVar, Literal, Self

Location = tuple[str | int, ...]
Source = Literal["body", "query", "path", "header", "cookie"]
MAX_FAULTS = 10
RETRY_AFTER_SECONDS = 5
CHALLENGE = "Bearer"
READS = frozenset({"GET", "HEAD"})


class CodeWithMeaning(StrEnum):
    """An enumeration of codes, each with its meaning in a sentence."""

    meaning: str

    def __new__(cls, code: str, meaning: str = "") -> Self:
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


class FaultCode(CodeWithMeaning):
    """The codes of validation errors: a closed list for this version. A code never changes its meaning."""

    REQUIRED = "required", "A required member or parameter is missing."
    BLANK = "blank", "The text is empty or contains only spaces."
    UNKNOWN_FIELD = "unknown-field", "Unknown member. Check its spelling."
    UNKNOWN_PARAMETER = "unknown-parameter", "Unknown query parameter. Check its spelling."
    REPEATED_PARAMETER = "repeated-parameter", "The query parameter is repeated."
    WRONG_TYPE = "wrong-type", "The value has the wrong JSON type."
    WRONG_FORM = "wrong-form", "The value has the wrong format."
    NOT_A_DATE = "not-a-date", "The value is not a full, valid date."
    NOT_AN_ADDRESS = "not-an-address", "The value is not an http or https address."
    NOT_LISTED = "not-listed", "The value is not one of the allowed values."
    UNKNOWN_CODE = "unknown-code", "The value is not in its code list."
    UNKNOWN_GUIDE = "unknown-guide", "There is no guide with this name."
    UNKNOWN_EDITION = "unknown-edition", "The guide has no edition with this number."
    UNKNOWN_ITEM = "unknown-item", "The edition has no item with this id."
    TOO_LONG = "too-long", "The text is longer than the limit."
    TOO_FEW = "too-few", "The list has too few entries."
    TOO_MANY = "too-many", "The list has too many entries."
    TOO_SMALL = "too-small", "The number is below the minimum."
    TOO_LARGE = "too-large", "The number is above the maximum."
    DUPLICATE_ID = "duplicate-id", "An id occurs twice in one list."
    OUT_OF_ORDER = "out-of-order", "Positions must run 1, 2, 3 in the order of the list."
    NOT_REACHABLE = "not-reachable", "A contact lacks the phone number or address that its kind requires."
    INVALID = "invalid", "Another error. See `detail`."


class CodedValueError(ValueError):
    """`reason` is a sentence for the caller."""

    def __init__(self, code: FaultCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


@dataclass(frozen=True)
class FieldError:
    """`at` is the location in the body. In another part of the request, `source` is that part.

    `template` is the sentence with a placeholder for each of `values`, so that it can be translated.
    """

    at: Location
    template: str
    code: FaultCode = FaultCode.INVALID
    source: Source = "body"
    parameter: str | None = None
    values: Mapping[str, object] = field(default_factory=dict, hash=False)

    @property
    def detail(self) -> str:
        return self.fill_in(self.template)

    def fill_in(self, template: str) -> str:
        """`template` is this error's or its translation."""
        return template.format_map(self.values) if self.values else template


class GuidanceError(Exception):
    """Base of all errors raised on purpose. The message never repeats what a caller sent."""


class Problem(GuidanceError):
    """Base of the errors that are reported to API callers. `meaning` defaults to the docstring of the class.

    To callers, a class without a slug is the same problem as its base class.
    """

    slug: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    meaning: ClassVar[str]
    meaning_of_reads: ClassVar[str | None] = None
    """In responses to GET and HEAD, if different: reads have no idempotency key."""
    message_is_told: ClassVar[bool] = False
    """True if the error's message replaces the meaning."""
    headers: Mapping[str, str] = {}
    faults: tuple[FieldError, ...] = ()

    def __init_subclass__(cls, *, slug: str | None = None, status: int = 0, title: str = "") -> None:
        super().__init_subclass__()
        if slug is not None:
            cls.slug, cls.status, cls.title = slug, status, title
            if "meaning" not in vars(cls):
                cls.meaning = " ".join((cls.__doc__ or "").split())

    @classmethod
    def meaning_for(cls, method: str) -> str:
        return cls.meaning_of_reads if cls.meaning_of_reads and method in READS else cls.meaning

    @property
    def detail(self) -> str | None:
        """Replaces the meaning for this occurrence."""
        return str(self) or None if self.message_is_told else None


def all_problems() -> list[type[Problem]]:
    """Those with a slug of their own, by status and slug."""
    found = [each for each in _derived_from(Problem) if "slug" in vars(each)]
    return sorted(found, key=lambda each: (each.status, each.slug))


def _derived_from(kind: type[Problem]) -> Iterator[type[Problem]]:
    for each in kind.__subclasses__():
        yield each
        yield from _derived_from(each)


class BadRequest(Problem, slug="bad-request", status=400, title="Bad request"):
    """The request is invalid. See `detail`."""


class UnreadableBody(Problem, slug="unreadable-body", status=400, title="Unreadable body"):
    """The body must be a single JSON object (RFC 8259) in UTF-8."""


class UnknownHost(Problem, slug="unknown-host", status=400, title="Unknown host"):
    """The Host header does not match this service. The operator sets its host names in GUIDANCE_ALLOWED_HOSTS."""


class OriginNotAllowed(Problem, slug="origin-refused", status=400, title="Origin not allowed"):
    """Web pages from this origin may not send this request. The operator sets origins in GUIDANCE_ALLOWED_ORIGINS."""


class MethodNotAllowed(Problem, slug="method-not-allowed", status=405, title="Method not allowed"):
    """This path does not support the method. The Allow header lists the supported methods."""


class RequestTimeout(Problem, slug="too-slow", status=408, title="Request timed out"):
    """Request timed out. Send the request again, or phone."""


class ContentTooLarge(Problem, slug="too-large", status=413, title="Body too large"):
    """The limit is 1,000,000 bytes and 10,000 values. Send less, or phone."""


class TargetTooLong(Problem, slug="address-too-long", status=414, title="Address too long"):
    """The limit of path and query together is 8,192 bytes. Send a shorter query."""


class UnsupportedMediaType(Problem, slug="not-json", status=415, title="Unsupported media type"):
    """Send `Content-Type: application/json`."""


class HeadTooLarge(Problem, slug="head-too-large", status=431, title="Request head too large"):
    """The limit is 65,536 bytes and 500 fields, each of 8,192 bytes. Send less."""


class RateLimited(Problem, slug="too-often", status=429, title="Too many requests"):
    """Too many requests from this caller. Retry after Retry-After seconds, with the same Idempotency-Key.

    If you are worried about a child, do not wait: phone.
    """

    meaning_of_reads = (
        "Too many requests from this caller. Retry after Retry-After seconds. "
        "If you are worried about a child, do not wait: phone."
    )

    def __init__(self, seconds: int | None = None, message: str | None = None) -> None:
        super().__init__(*([] if message is None else [message]))
        if seconds is not None:
            self.headers = {"Retry-After": str(seconds)}


class TooManyTries(RateLimited):
    """A wrong code, after too many wrong codes for the same concern or form, or from the same network.

    This error never refuses the right code.
    """

    message_is_told = True

    def __init__(self, seconds: int) -> None:
        super().__init__(
            seconds,
            "This code is wrong, and too many wrong codes have been tried. The right code still works. "
            "If you are worried about a child, do not wait: phone.",
        )


class TooManyConcerns(RateLimited):
    """One network sent too many concerns or long additions without a client key. It can send more after `seconds`."""


class TooManySavedForms(RateLimited):
    """One network has used up its share of saved forms."""


class InternalError(Problem, slug="internal-error", status=500, title="Internal error"):
    """An unexpected error. Give the operator the id in `instance`: the log has the cause."""


class ServiceUnavailable(Problem, slug="busy", status=503, title="Temporarily unavailable"):
    """The service could not complete the request in time.

    Retry after Retry-After seconds, with the same Idempotency-Key.
    """

    meaning_of_reads = "The service could not answer in time. Retry after Retry-After seconds."
    headers: Mapping[str, str] = {"Retry-After": str(RETRY_AFTER_SECONDS)}


class StoreBusy(ServiceUnavailable):
    """The write was not confirmed in time, and perhaps not stored. Retry with the same idempotency key."""


class SavedFormsFull(ServiceUnavailable):
    """Saved forms have used all the space they may take."""


class ReferenceTaken(ServiceUnavailable):
    """Another concern already has the new reference."""


class RowNotStored(ServiceUnavailable):
    """The database accepted a row without storing it: another program added a rule."""


class ValidationFailed(Problem, slug="not-accepted", status=422, title="Validation failed"):
    """Some fields are invalid. See `errors`."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = tuple(faults)


class InvalidEdition(ValidationFailed):
    """The content of an edition is invalid."""


class InvalidRendition(ValidationFailed):
    """The content of a rendition is invalid."""


class InvalidConcern(ValidationFailed):
    """A concern is invalid. The response still gives the numbers to call."""


class InvalidQuery(ValidationFailed, slug="invalid-query", status=400, title="Invalid query parameter"):
    """A query parameter has an invalid value."""

    @property
    def detail(self) -> str | None:
        return self.faults[0].detail


class UnknownQuery(InvalidQuery, slug="unknown-query", status=400, title="Unknown query parameter"):
    """Unknown query parameters are rejected, so that a misspelt filter does not return unfiltered results."""


class RepeatedQuery(InvalidQuery, slug="repeated-query", status=400, title="Repeated query parameter"):
    """A query parameter is repeated. Send it once."""


class InvalidCursor(InvalidQuery, slug="invalid-cursor", status=400, title="Invalid cursor"):
    """This service did not issue that cursor. Start again without one."""

    def __init__(self, detail: str, *, parameter: str = "cursor") -> None:
        super().__init__([FieldError((), detail, FaultCode.WRONG_FORM, "query", parameter)])


class InvalidMoment(InvalidQuery, slug="invalid-moment", status=400, title="Invalid time"):
    """`as_of` must be a date or a time (RFC 3339), and Accept-Datetime an HTTP date."""


class SeveralIdempotencyKeys(Problem, slug="two-keys", status=400, title="Several idempotency keys"):
    """Send a single Idempotency-Key header with a single value."""


class IdempotencyKeyReused(Problem, slug="key-reused", status=422, title="Idempotency key already used"):
    """This Idempotency-Key was used for different content. Use a new key for new content."""


class AlreadyStored(IdempotencyKeyReused):
    """A receipt is already stored for the idempotency key, for this content or for other content."""


class NotFound(Problem, slug="not-found", status=404, title="Not found"):
    """There is nothing at this path. GET /v1 lists the resources."""


class NoSuchGuide(NotFound, slug="no-such-guide", status=404, title="No such guide"):
    """There is no guide with this name."""

    meaning = "There is no guide with this name. GET /v1/guides lists the guides."


class NoSuchEdition(NotFound, slug="no-such-edition", status=404, title="No such edition"):
    """The guide exists, but not that edition."""

    meaning = "The guide has no edition with this number. Its version history lists its editions."


class NoSuchRendition(NotFound, slug="no-such-rendition", status=404, title="No such rendition"):
    """The guide exists, but not that rendition."""

    meaning = (
        "The guide has no rendition in this language, or with this number. GET /v1/guides/{guide}/renditions lists "
        "its renditions."
    )


class NoSuchItem(NotFound, slug="no-such-item", status=404, title="No such item"):
    """The list exists, but not that item. The message names the list if it is not part of an edition."""

    meaning = "The list has no entry with this id, number or name. See `detail` for the list."
    message_is_told = True


class NoSuchCodeList(NotFound, slug="no-such-code-list", status=404, title="No such code list"):
    """There is no code list with this name. GET /v1/code-lists lists the code lists."""


class NoSuchConcern(NotFound, slug="no-such-concern", status=404, title="No such concern"):
    """No concern matches the reference and status token.

    Requests of the desk have no status token. Their error has a message, which replaces the meaning.
    """

    meaning = "No concern matches this reference and status token. Check both for mistakes."
    message_is_told = True


class NoSuchGuideDraft(NotFound, slug="no-such-draft", status=404, title="No such draft"):
    """The guide has no draft: it was published, deleted or never started."""


class NoSuchSavedForm(NotFound):
    """No saved form has this code: the code is wrong, or the form was sent, was saved again or has expired."""


class PdfUnavailable(Problem, slug="not-printed-here", status=404, title="PDF not available"):
    """The service was installed without PDF support, or its font lacks the letters of the language."""

    meaning = (
        "This service was installed without the extra `print`, which makes PDFs, or its font lacks the letters of "
        "this language. Use another format."
    )


class TokenMissing(Problem, slug="token-needed", status=401, title="Token required"):
    """Send `Authorization: Bearer` with a token issued by this service."""

    headers: Mapping[str, str] = {"WWW-Authenticate": CHALLENGE}


class TokenInvalid(Problem, slug="token-unknown", status=401, title="Invalid token"):
    """The bearer token is invalid. The message gives the reason, for the log only."""

    meaning = "The bearer token is invalid, expired or revoked."
    headers: Mapping[str, str] = {"WWW-Authenticate": f'{CHALLENGE} error="invalid_token"'}


class SessionUnconfirmed(TokenInvalid):
    """The OpenID provider must confirm the person and their role again. The session is otherwise valid."""


class RowNotOurs(TokenInvalid):
    """A row that grants access was not written by this service, or is not as recorded, so it is ignored."""

    def __init__(self, table: str) -> None:
        super().__init__(f"a row of {table} is not as this service wrote it last: run guidance verify")


class ScopeMissing(Problem, slug="scope-missing", status=403, title="Missing scope"):
    """The caller is authenticated but lacks the scope that this route requires."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.headers = {"WWW-Authenticate": f'{CHALLENGE} error="insufficient_scope", scope="{scope}"'}


class ProviderUnavailable(Problem, slug="provider-away", status=503, title="Identity provider unavailable"):
    """Tokens cannot be checked, because the identity provider is not responding. Try again soon."""

    headers = ServiceUnavailable.headers


class ClientExists(GuidanceError):
    """A client with this name already exists."""


class NoSuchClient(GuidanceError):
    """There is no client with this name."""


class NoSuchPerson(NotFound):
    """There is no person with this name at the desk."""


class DraftFull(GuidanceError):
    """The draft of a guide has the maximum number of open comments, or of valid links for people without an account."""


class SameAssignment(GuidanceError):
    """The concerns of a person cannot be given to the same person."""


class RoleNotYours(ScopeMissing):
    """A person can give and change only roles with no more scopes than their own, and not their own role."""


class EditionWithdrawn(Problem, slug="edition-withdrawn", status=410, title="Edition withdrawn"):
    """The edition was withdrawn. `detail` gives the reason."""

    message_is_told = True

    def __init__(self, *, reason: str, replaced_by: int | None) -> None:
        super().__init__(reason)
        self.replaced_by = replaced_by


class RenditionWithdrawn(Problem, slug="rendition-withdrawn", status=410, title="Rendition withdrawn"):
    """The rendition or its edition was withdrawn. `detail` gives the reason."""

    message_is_told = True


class EditionAlreadyPublished(Problem, slug="already-published", status=409, title="Already published"):
    """The number already has different content, and published editions never change."""

    meaning = (
        "This edition is already published with different content. Published editions never change: publish a "
        "correction as the next edition."
    )


class EditionOutOfOrder(Problem, slug="out-of-order", status=409, title="Out of order"):
    """Editions must be numbered 1, 2, 3 without gaps."""


class PreconditionMissing(Problem, slug="precondition-missing", status=428, title="Edition precondition required"):
    """Send If-Match with the ETag of the current edition, so that two editors cannot overwrite each other."""


class PreconditionFailed(Problem, slug="precondition-failed", status=412, title="Edition out of date"):
    """The ETag in If-Match does not match the current edition. Fetch the current edition and publish on top of it."""


class VersionNotCurrent(Problem, slug="version-not-current", status=412, title="Version not current"):
    """The ETag in If-Match is not that of this response. Read it without If-Match."""


class AlreadyWithdrawn(Problem, slug="already-withdrawn", status=409, title="Already withdrawn"):
    """The edition is already withdrawn with a different reason."""

    meaning = "The edition is already withdrawn with a different reason."


class DraftNotNamed(Problem, slug="draft-not-named", status=428, title="Draft precondition required"):
    """Send If-Match with the ETag of the draft you read, so that two editors cannot overwrite each other."""


class DraftChanged(Problem, slug="draft-changed", status=412, title="Draft out of date"):
    """The ETag in If-Match does not match the draft. Your change was not saved. Fetch the draft again."""


class SecondPersonNeeded(Problem, slug="second-person-needed", status=403, title="Second person required"):
    """The caller wrote part of this draft. A client or person who wrote none of it must publish it.

    A writer can publish it only if another person both changed it last and submitted it.

    If the council requires two people, only drafts written by people can be published.
    """


class NobodyPublishesAlone(SecondPersonNeeded):
    """The council requires two people to publish, and this request involves one."""

    message_is_told = True

    def __init__(self) -> None:
        super().__init__(
            "The council requires two people to publish. Save the text as a draft, for someone who wrote none of it "
            "to publish."
        )


class SecondEraserNeeded(SecondPersonNeeded):
    """The council requires two people to erase a concern. Your request is recorded. A second person must erase it."""

    message_is_told = True

    def __init__(self) -> None:
        super().__init__(type(self).__doc__ or "")


class HandUnknown(SecondPersonNeeded):
    """The council requires two people to publish, and a client without a person worked on this draft."""

    message_is_told = True

    def __init__(self) -> None:
        super().__init__(
            "The council requires two people to publish, and a client without a person wrote or would publish this "
            "draft. Add a person to the client, or write the draft as a person."
        )


class FollowsAnotherEdition(Problem, slug="follows-another-edition", status=409, title="Draft follows another edition"):
    """`follows` must be the number of the last edition, or null for the first.

    Read the draft's changes, then set `follows`.
    """


class UnsealingUnavailable(Problem, slug="not-opened-here", status=406, title="Cannot decrypt here"):
    """This service holds no identity that can decrypt this concern.

    Request `application/age` and decrypt the file yourself.
    """


class SealedTextMisplaced(Problem, slug="sealed-text-misplaced", status=500, title="Damaged concern"):
    """The sealed text stored for this concern does not belong to it, so it is not shown.

    The operator can find the change with `guidance verify`.
    """


class ConcernErased(Problem, slug="concern-erased", status=410, title="Erased"):
    """The text of this concern has been erased. Its dates are kept in the inbox."""


class NotAcknowledged(Problem, slug="not-acknowledged", status=409, title="Not acknowledged yet"):
    """Acknowledge this concern and its additions first."""


class TooManyAdditions(Problem, slug="too-many-additions", status=429, title="Too many additions"):
    """A concern can have 200 additions, 20,000,000 bytes in total.

    This addition was not stored: phone, and give the reference.
    """


class TooManyMessages(Problem, slug="too-many-messages", status=429, title="Too many messages"):
    """A reporter can be sent 100 messages. This message was not stored."""


class ReporterHasNoCode(Problem, slug="reporter-has-no-code", status=409, title="The reporter has no code"):
    """This concern was written down by a worker, without a code for the reporter: nobody could read a message.

    Phone instead.
    """


class TooManyNotes(Problem, slug="too-many-notes", status=409, title="Too many notes"):
    """A concern can have 500 notes, 7,000,000 bytes in total. This note was not stored."""


class TooManyLabels(Problem, slug="too-many-labels", status=409, title="Too many labels"):
    """A concern can have 200 labels, one after another. This label was not stored, and the former label stays."""


class CardsRefused(Problem, slug="cards-refused", status=403, title="Cards are not for this role"):
    """This service gives no cards to this role. Its operator decides which roles get cards (`GUIDANCE_CARDS`).

    Each concern can still be opened.
    """


class AssignmentChanged(Problem, slug="assignment-changed", status=412, title="Assignment changed"):
    """The ETag in If-Match does not match the assignment. Your change was not made.

    The attempt is recorded.
    """

    message_is_told = True


class ChangedMeanwhile(AssignmentChanged):
    """Someone changed the concern after this person opened it."""


class OnHold(Problem, slug="on-hold", status=409, title="On hold"):
    """This concern is on hold. It cannot be erased until the hold is released."""


class OutcomeGiven(Problem, slug="outcome-given", status=409, title="Already closed"):
    """This concern is already closed with a different outcome."""


class NotClosed(Problem, slug="not-closed", status=409, title="Not closed"):
    """This concern is open. Only a closed concern can be reopened."""


class CursorAhead(Problem, slug="cursor-ahead", status=409, title="Cursor ahead of the last event"):
    """There is no event with this cursor yet. The database may have been restored from a backup.

    Call without `after` to continue after the last event that this client confirmed.
    """


class DeskRequestFailed(GuidanceError):
    """The service refused the request."""


class DeskUnreachable(DeskRequestFailed):
    """The service did not respond. The request may or may not have been carried out."""


class KeysNotKnown(GuidanceError):
    """The service offers a recipient key that this program was not told to trust."""


class ReceiptNotGenuine(GuidanceError):
    """The receipt was not signed with any of the trusted keys, or has been changed."""


class CheckpointNotGenuine(GuidanceError):
    """The checkpoint was not signed with any of the trusted keys, or has been changed."""


class ExportNotGenuine(GuidanceError):
    """The export was not signed by the service whose keys were given, or has been changed."""


class NotExportable(GuidanceError):
    """A public read failed or was incomplete, so the export would be incomplete."""


class AddressNotAllowed(GuidanceError):
    """Webhooks may not be sent to that address."""


class WebhookExists(GuidanceError):
    """A webhook with this name already exists."""


class NoSuchWebhook(GuidanceError):
    """There is no webhook with this name."""


class WebhookSecretUnreadable(GuidanceError):
    """The webhook's secret cannot be decrypted with the keys in GUIDANCE_WEBHOOK_KEY_FILE."""


class ClockInDoubt(GuidanceError):
    """The system clock differs from the last known time by more than a day, so nothing is erased."""


class BackupRefused(GuidanceError):
    """The backup cannot be made or restored now."""


class CopyRefused(GuidanceError):
    """The database cannot be copied into the target now."""


class DatabaseUnreadable(GuidanceError):
    """The database is not responding or cannot be read completely."""


class SchemaBehind(GuidanceError):
    """The database schema is out of date: run `guidance migrate` on one node."""


class SchemaUnknown(GuidanceError):
    """The database schema is unknown: a newer version or another program made it."""


class SchemaAltered(GuidanceError):
    """A table, index or rule differs from the schema that this program declares, so the database is not used."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__(
            "The database schema was changed outside this program, so it is not used: "
            f"{'; '.join(faults[:MAX_FAULTS])}{f'; and {len(faults) - MAX_FAULTS} more' * (len(faults) > MAX_FAULTS)}. "
            "`guidance verify` lists every fault. Restore a backup, or find out who changed it."
        )


class SetupError(GuidanceError):
    """A setting or key file is missing or wrong, so the service cannot start."""


@dataclass(frozen=True, order=True)
class SeedError:
    """An error in a seed file: its line, counted from 1 (0 if it has none), and a sentence with the location."""

    line: int
    reason: str


class SchemaTooOld(SetupError):
    """Version 0.2.0 or before wrote the database."""

    def __init__(self) -> None:
        super().__init__(
            "Version 0.2.0 or before wrote this database, and later versions cannot read its audit log. Nothing was "
            "changed. Use the build that wrote it for its concerns, and begin a new data folder with this version."
        )


class ExtraMissing(SetupError):
    """An optional part of the installation is missing."""

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(f"{what} needs the extra `{extra}`: pip install 'one-minute-guide[{extra}]'")


class SeedFileError(GuidanceError):
    """The error for an invalid seed file. The message has a line for each fault.

    `line` and `reason` come from the first fault by line; `line` is None if that fault has no line. `warnings` list
    likely mistakes in the parts that can be read.
    """

    def __init__(self, path: Path, faults: Sequence[SeedError], warnings: Sequence[SeedError] = ()) -> None:
        self.path = path
        self.warnings = tuple(warnings)
        self.faults = tuple(sorted(faults))
        self.line = self.faults[0].line or None
        self.reason = self.faults[0].reason
        super().__init__(
            "\n".join(f"{path}{f', line {each.line}' if each.line else ''}: {each.reason}" for each in self.faults)
        )
