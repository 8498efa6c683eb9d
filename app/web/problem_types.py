"""Problem types (RFC 9457), a closed list: the HTTP status and the texts of every domain error, in one table."""

from collections.abc import Mapping

from app import desk_errors, errors
from app.models.guidance import rendition_errors
from app.web.desk_problem_types import ASSIGNMENT_CHANGED, NO_MESSAGE_KEY, TOO_MANY_MESSAGES, TOO_MANY_NOTES
from app.web.draft_problem_types import DRAFT_PROBLEM_FOR
from app.web.problem_type import ProblemType
from app.web.rendition_problem_types import RENDITION_NOT_FOUND, RENDITION_WITHDRAWN

NOT_FOUND = ProblemType("not-found", 404, "Not found", "Nothing answers to this path. GET /v1 lists what there is.")
BAD_REQUEST = ProblemType(
    "bad-request", 400, "Bad request", "The request cannot be read as it stands. The detail says which part."
)
UNREADABLE_BODY = ProblemType(
    "unreadable-body", 400, "The body cannot be read", "The body must be one JSON object (RFC 8259) in UTF-8."
)
UNKNOWN_QUERY = ProblemType(
    "unknown-query",
    400,
    "The query cannot be used",
    "A query parameter is unknown. Unknown ones are refused, so that a misspelt filter never returns everything.",
)
REPEATED_QUERY = ProblemType(
    "repeated-query", 400, "A query parameter twice", "A query parameter is given more than once. Give it once."
)
INVALID_QUERY = ProblemType(
    "invalid-query", 400, "A query parameter cannot be used", "The value of a query parameter is not of its kind."
)
INVALID_CURSOR = ProblemType(
    "invalid-cursor", 400, "The cursor cannot be used", "The cursor is not one that this service gave. Begin again."
)
INVALID_MOMENT = ProblemType(
    "invalid-moment",
    400,
    "The time cannot be used",
    "`as_of` is a day or a moment (RFC 3339), and Accept-Datetime a date as HTTP writes it.",
)
QUERY_PROBLEMS = (UNKNOWN_QUERY, REPEATED_QUERY, INVALID_QUERY)
METHOD_NOT_ALLOWED = ProblemType(
    "method-not-allowed", 405, "Method not allowed", "The Allow header lists the methods of this path."
)
CONTENT_TOO_LARGE = ProblemType(
    "too-large",
    413,
    "The body is too large",
    "A body may have 1,000,000 bytes and 10,000 values. Send less, or telephone.",
)
UNSUPPORTED_MEDIA_TYPE = ProblemType("not-json", 415, "The body is not JSON", "Send `Content-Type: application/json`.")
REQUEST_TIMEOUT = ProblemType(
    "too-slow", 408, "The body did not arrive in time", "Send the request again, or telephone."
)
RATE_LIMITED = ProblemType(
    "too-often",
    429,
    "Too many requests",
    "Too many requests came from this caller. Try again after Retry-After seconds, with the same Idempotency-Key. "
    "Whoever is worried about a child need not wait: telephone.",
)
UNKNOWN_HOST = ProblemType(
    "unknown-host",
    400,
    "Not a name of this service",
    "The Host header names another host. Its operator names the hosts of this service in GUIDANCE_ALLOWED_HOSTS.",
)
ORIGIN_NOT_ALLOWED = ProblemType(
    "origin-refused",
    400,
    "Not for this origin",
    "Pages of this origin may not send this request. The operator names origins in GUIDANCE_ALLOWED_ORIGINS.",
)
SEVERAL_IDEMPOTENCY_KEYS = ProblemType(
    "two-keys", 400, "Two idempotency keys", "Send one Idempotency-Key header, and one value in it."
)
INTERNAL_ERROR = ProblemType(
    "internal-error", 500, "Something went wrong here", "It is logged under the id in `instance`."
)
SERVICE_UNAVAILABLE = ProblemType(
    "busy",
    503,
    "Not available just now",
    "The request could not be completed in time. Try again after Retry-After seconds, with the same Idempotency-Key.",
)
VALIDATION_FAILED = ProblemType(
    "not-accepted", 422, "Not accepted as it stands", "Some fields have faults. `errors` tells each, with its place."
)
GUIDE_NOT_FOUND = ProblemType(
    "no-such-guide", 404, "No such guide", "No guide has that name. GET /v1/guides lists them."
)
EDITION_NOT_FOUND = ProblemType(
    "no-such-edition", 404, "No such edition", "The guide has no edition of that number. Its history lists them."
)
ITEM_NOT_FOUND = ProblemType(
    "no-such-item",
    404,
    "No such item",
    "Nothing is listed there by that id, number or name. `detail` says in which list.",
)
CURSOR_AHEAD = ProblemType(
    "cursor-ahead",
    409,
    "The cursor is after the last event",
    "No event has this cursor yet. The database may have been restored from a backup. Call without `after`: the page "
    "then begins after the last event that this client confirmed.",
)
CODE_LIST_NOT_FOUND = ProblemType("no-such-code-list", 404, "No such code list", "GET /v1/code-lists lists them.")
CONCERN_NOT_FOUND = ProblemType(
    "no-such-concern",
    404,
    "No such concern",
    "No concern answers to this reference and status token together. Check both for a slip.",
)
EDITION_WITHDRAWN = ProblemType(
    "edition-withdrawn", 410, "Edition withdrawn", "The edition was withdrawn. The detail gives the reason."
)
EDITION_ALREADY_PUBLISHED = ProblemType(
    "already-published",
    409,
    "Already published",
    "Other words stand under that number. A published edition never changes: a correction is the next number.",
)
EDITION_OUT_OF_ORDER = ProblemType("out-of-order", 409, "Out of order", "Editions are numbered 1, 2, 3 without a gap.")
IDEMPOTENCY_KEY_REUSED = ProblemType(
    "key-reused",
    422,
    "Idempotency key used before",
    "This Idempotency-Key was used for other words. Use a new key for new words.",
)
TOKEN_REQUIRED = ProblemType(
    "token-needed", 401, "A token is needed", "Send `Authorization: Bearer` with a token that this service gave."
)

INVALID_TOKEN = ProblemType(
    "token-unknown", 401, "The token is not known", "The bearer token is not one that this service knows, or no longer."
)
MISSING_SCOPE = ProblemType(
    "scope-missing", 403, "Not allowed", "The caller is known, and lacks the scope that this route needs."
)
PROVIDER_UNAVAILABLE = ProblemType(
    "provider-away", 503, "Tokens cannot be checked just now", "The identity provider does not answer. Try again soon."
)
PRECONDITION_MISSING = ProblemType(
    "precondition-missing",
    428,
    "Say which edition this follows",
    "Send If-Match with the ETag of the guide's current edition, so that two editors cannot overwrite each other.",
)
PRECONDITION_FAILED = ProblemType(
    "precondition-failed",
    412,
    "Another edition was published",
    "The ETag in If-Match is not that of the guide's current edition. Read it again, and publish on top of it.",
)
ALREADY_WITHDRAWN = ProblemType(
    "already-withdrawn", 409, "Already withdrawn", "The edition was withdrawn before, with another reason."
)

PDF_UNAVAILABLE = ProblemType(
    "not-printed-here",
    404,
    "There is no PDF here",
    "This service was installed without the extra `print`, which makes PDFs, or its font does not have the letters of "
    "this language. The guide is there in its other forms.",
)
UNSEALING_UNAVAILABLE = ProblemType(
    "not-opened-here",
    406,
    "It cannot be opened here",
    "This service holds no identity that opens this concern. Ask for `application/age`, and open the file yourself.",
)
SEALED_TEXT_MISPLACED = ProblemType(
    "sealed-text-misplaced",
    500,
    "This concern is damaged",
    "The sealed text that is stored here belongs to another concern, so nothing of it is shown. The operator finds "
    "what was changed with `guidance verify`.",
)
CONCERN_ERASED = ProblemType(
    "concern-erased", 410, "Erased", "The words of this concern were erased. Its dates remain in the inbox."
)
NOT_ACKNOWLEDGED = ProblemType(
    "not-acknowledged",
    409,
    "Not acknowledged yet",
    "Nobody has acknowledged this concern, or something that was added to it. That comes first.",
)
TOO_MANY_ADDITIONS = ProblemType(
    "too-many-additions",
    429,
    "No more can be added to this concern",
    "A concern takes 200 additions, and 20,000,000 bytes of them. This one was not stored: telephone, and give the "
    "reference.",
)
ON_HOLD = ProblemType("on-hold", 409, "On hold", "This concern is on hold, and is not erased until the hold is lifted.")
ALREADY_CLOSED = ProblemType("outcome-given", 409, "Already closed", "This concern was closed with another outcome.")

PROBLEM_FOR: Mapping[type[errors.GuidanceError], ProblemType] = {
    errors.NotFound: NOT_FOUND,
    errors.NoSuchGuide: GUIDE_NOT_FOUND,
    errors.NoSuchEdition: EDITION_NOT_FOUND,
    errors.NoSuchItem: ITEM_NOT_FOUND,
    errors.NoSuchCodeList: CODE_LIST_NOT_FOUND,
    errors.NoSuchConcern: CONCERN_NOT_FOUND,
    errors.NoSuchDraft: NOT_FOUND,
    errors.EditionWithdrawn: EDITION_WITHDRAWN,
    errors.ValidationFailed: VALIDATION_FAILED,
    errors.InvalidQuery: INVALID_QUERY,
    errors.InvalidCursor: INVALID_CURSOR,
    errors.InvalidMoment: INVALID_MOMENT,
    errors.InvalidEdition: VALIDATION_FAILED,
    errors.InvalidConcern: VALIDATION_FAILED,
    rendition_errors.NoSuchRendition: RENDITION_NOT_FOUND,
    rendition_errors.RenditionWithdrawn: RENDITION_WITHDRAWN,
    rendition_errors.InvalidRendition: VALIDATION_FAILED,
    errors.EditionAlreadyPublished: EDITION_ALREADY_PUBLISHED,
    errors.EditionOutOfOrder: EDITION_OUT_OF_ORDER,
    errors.AlreadyStored: IDEMPOTENCY_KEY_REUSED,
    errors.IdempotencyKeyReused: IDEMPOTENCY_KEY_REUSED,
    errors.ReferenceTaken: SERVICE_UNAVAILABLE,
    errors.TokenMissing: TOKEN_REQUIRED,
    errors.TokenInvalid: INVALID_TOKEN,
    errors.ScopeMissing: MISSING_SCOPE,
    errors.ProviderUnavailable: PROVIDER_UNAVAILABLE,
    errors.ClientExists: INTERNAL_ERROR,
    errors.NoSuchClient: INTERNAL_ERROR,
    errors.NoSuchPerson: INTERNAL_ERROR,
    errors.PreconditionMissing: PRECONDITION_MISSING,
    errors.PreconditionFailed: PRECONDITION_FAILED,
    errors.AlreadyWithdrawn: ALREADY_WITHDRAWN,
    errors.UnsealingUnavailable: UNSEALING_UNAVAILABLE,
    errors.SealedTextMisplaced: SEALED_TEXT_MISPLACED,
    errors.PdfUnavailable: PDF_UNAVAILABLE,
    errors.ConcernErased: CONCERN_ERASED,
    errors.NotAcknowledged: NOT_ACKNOWLEDGED,
    errors.TooManyAdditions: TOO_MANY_ADDITIONS,
    desk_errors.TooManyNotes: TOO_MANY_NOTES,
    desk_errors.AssignmentChanged: ASSIGNMENT_CHANGED,
    desk_errors.ChangedMeanwhile: ASSIGNMENT_CHANGED,
    errors.TooManyTries: RATE_LIMITED,
    desk_errors.NoMessageKey: NO_MESSAGE_KEY,
    desk_errors.TooManyMessages: TOO_MANY_MESSAGES,
    errors.OnHold: ON_HOLD,
    errors.OutcomeGiven: ALREADY_CLOSED,
    errors.StoreBusy: SERVICE_UNAVAILABLE,
    errors.SeveralIdempotencyKeys: SEVERAL_IDEMPOTENCY_KEYS,
    errors.ReceiptNotGenuine: INTERNAL_ERROR,
    errors.CheckpointNotGenuine: INTERNAL_ERROR,
    errors.TimestampUnavailable: INTERNAL_ERROR,
    errors.TimestampNotGenuine: INTERNAL_ERROR,
    errors.NotExportable: INTERNAL_ERROR,
    desk_errors.DeskRequestFailed: INTERNAL_ERROR,
    desk_errors.DeskUnreachable: INTERNAL_ERROR,
    desk_errors.KeysNotKnown: INTERNAL_ERROR,
    desk_errors.NoKeyOfBody: INTERNAL_ERROR,
    desk_errors.ExportNotGenuine: INTERNAL_ERROR,
    errors.AddressNotAllowed: INTERNAL_ERROR,
    errors.WebhookExists: INTERNAL_ERROR,
    errors.NoSuchWebhook: INTERNAL_ERROR,
    errors.WebhookSecretUnreadable: INTERNAL_ERROR,
    errors.BackupRefused: INTERNAL_ERROR,
    errors.SetupError: INTERNAL_ERROR,
    errors.DatabaseUnreadable: INTERNAL_ERROR,
    errors.SchemaBehind: INTERNAL_ERROR,
    errors.SchemaUnknown: INTERNAL_ERROR,
    errors.SchemaAltered: INTERNAL_ERROR,
    errors.RowNotStored: SERVICE_UNAVAILABLE,
    errors.CursorAhead: CURSOR_AHEAD,
    errors.SeedFileError: INTERNAL_ERROR,
    **DRAFT_PROBLEM_FOR,
}
PROBLEM_FOR_STATUS: Mapping[int, ProblemType] = {
    each.status: each
    for each in (
        NOT_FOUND,
        BAD_REQUEST,
        METHOD_NOT_ALLOWED,
        CONTENT_TOO_LARGE,
        UNSUPPORTED_MEDIA_TYPE,
        SERVICE_UNAVAILABLE,
        TOKEN_REQUIRED,
        INTERNAL_ERROR,
    )
}
CURRENT_EDITION_PROBLEMS = (GUIDE_NOT_FOUND, EDITION_WITHDRAWN)
NUMBERED_EDITION_PROBLEMS = (GUIDE_NOT_FOUND, EDITION_NOT_FOUND, EDITION_WITHDRAWN)
BODY_PROBLEMS = (UNREADABLE_BODY, CONTENT_TOO_LARGE, UNSUPPORTED_MEDIA_TYPE, VALIDATION_FAILED)
CREDENTIAL_PROBLEMS = (TOKEN_REQUIRED, INVALID_TOKEN, MISSING_SCOPE, PROVIDER_UNAVAILABLE)
CLIENT_PROBLEMS = (*CREDENTIAL_PROBLEMS, SERVICE_UNAVAILABLE)
"""The problems of a route for clients, which checks their keys in the database."""
REQUEST_PROBLEMS = (*QUERY_PROBLEMS, UNREADABLE_BODY, REQUEST_TIMEOUT, RATE_LIMITED, UNKNOWN_HOST, ORIGIN_NOT_ALLOWED)
ALL_PROBLEM_TYPES: tuple[ProblemType, ...] = tuple(
    sorted(
        {*PROBLEM_FOR.values(), *PROBLEM_FOR_STATUS.values(), *REQUEST_PROBLEMS},
        key=lambda each: (each.status, each.slug),
    )
)
