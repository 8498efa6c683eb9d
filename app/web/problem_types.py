"""The closed list of problems: every error of the domain, its HTTP status and its words, in one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app import errors
from app.models.problems import Problem
from app.models.guidance.seed_errors import SeedFileError

PATH = "/v1/problems"


@dataclass(frozen=True)
class Kind:
    """One kind of problem."""

    slug: str
    status: int
    title: str
    meaning: str

    @property
    def type(self) -> str:
        """The problem's `type`: a path that explains it."""
        return f"{PATH}/{self.slug}"


NOT_FOUND = Kind("not-found", 404, "Not found", "Nothing answers to this path. GET /v1 lists what there is.")
BAD_REQUEST = Kind(
    "bad-request", 400, "Bad request", "The request cannot be read as it stands. The detail says which part."
)
NOT_JSON = Kind(
    "unreadable-body", 400, "The body cannot be read", "The body must be one JSON object (RFC 8259) in UTF-8."
)
QUERY = Kind(
    "unknown-query",
    400,
    "The query cannot be used",
    "A query parameter is unknown, given twice or not of its kind. Unknown ones are refused, so that a misspelt filter "
    "never returns everything.",
)
METHOD = Kind("method-not-allowed", 405, "Method not allowed", "The Allow header lists the methods of this path.")
TOO_LARGE = Kind(
    "too-large",
    413,
    "The body is too large",
    "A body may have 1,000,000 bytes and 10,000 values. Send less, or telephone.",
)
MEDIA_TYPE = Kind("not-json", 415, "The body is not JSON", "Send `Content-Type: application/json`.")
TOO_SLOW = Kind("too-slow", 408, "The body did not arrive in time", "Send the request again, or telephone.")
TOO_OFTEN = Kind(
    "too-often",
    429,
    "Too many requests",
    "Too many requests came from this caller. Try again after Retry-After seconds, with the same Idempotency-Key. "
    "Whoever is worried about a child need not wait: telephone.",
)
UNKNOWN_HOST = Kind(
    "unknown-host",
    400,
    "Not a name of this service",
    "The Host header names another host. Its operator names the hosts of this service in GUIDANCE_ALLOWED_HOSTS.",
)
PREFLIGHT = Kind(
    "origin-refused",
    400,
    "Not for this origin",
    "Pages of this origin may not send this request. The operator names origins in GUIDANCE_ALLOWED_ORIGINS.",
)
TWO_KEYS = Kind("two-keys", 400, "Two idempotency keys", "Send one Idempotency-Key header, and one value in it.")
DEFECT = Kind("internal-error", 500, "Something went wrong here", "It is logged under the id in `instance`.")
BUSY = Kind(
    "busy",
    503,
    "Not available just now",
    "The request could not be completed in time. Try again after Retry-After seconds, with the same Idempotency-Key.",
)
REFUSED = Kind(
    "not-accepted", 422, "Not accepted as it stands", "Some fields have faults. `errors` tells each, with its place."
)
GUIDE = Kind("no-such-guide", 404, "No such guide", "No guide has that name. GET /v1/guides lists them.")
EDITION = Kind(
    "no-such-edition", 404, "No such edition", "The guide has no edition of that number. Its history lists them."
)
ITEM = Kind("no-such-item", 404, "No such item", "The edition has no item of that id. Its section lists them.")
CODE_LIST = Kind("no-such-code-list", 404, "No such code list", "GET /v1/code-lists lists them.")
CONCERN = Kind(
    "no-such-concern",
    404,
    "No such concern",
    "No concern answers to this reference and status token together. Check both for a slip.",
)
WITHDRAWN = Kind(
    "edition-withdrawn", 410, "Edition withdrawn", "The edition was withdrawn. The detail gives the reason."
)
PUBLISHED = Kind(
    "already-published",
    409,
    "Already published",
    "Other words stand under that number. A published edition never changes: a correction is the next number.",
)
ORDER = Kind("out-of-order", 409, "Out of order", "Editions are numbered 1, 2, 3 without a gap.")
KEY_REUSED = Kind(
    "key-reused",
    422,
    "Idempotency key used before",
    "This Idempotency-Key was used for other words. Use a new key for a new concern.",
)
TOKEN = Kind(
    "token-needed", 401, "A token is needed", "Send `Authorization: Bearer` with a token that this service gave."
)

UNKNOWN_TOKEN = Kind(
    "token-unknown", 401, "The token is not known", "The bearer token is not one that this service knows, or no longer."
)
SCOPE = Kind("scope-missing", 403, "Not allowed", "The caller is known, and lacks the scope that this route needs.")
PROVIDER = Kind(
    "provider-away", 503, "Tokens cannot be checked just now", "The identity provider does not answer. Try again soon."
)
PRECONDITION_MISSING = Kind(
    "precondition-missing",
    428,
    "Say which edition this follows",
    "Send If-Match with the ETag of the guide's current edition, so that two editors cannot overwrite each other.",
)
PRECONDITION_FAILED = Kind(
    "precondition-failed",
    412,
    "Another edition was published",
    "The ETag in If-Match is not that of the guide's current edition. Read it again, and publish on top of it.",
)
WITHDRAWN_BEFORE = Kind(
    "already-withdrawn", 409, "Already withdrawn", "The edition was withdrawn before, with another reason."
)

NOT_PRINTED = Kind(
    "not-printed-here",
    404,
    "There is no PDF here",
    "This service was installed without the extra `print`, which makes PDFs. The guide is there in its other forms.",
)
NOT_OPENED = Kind(
    "not-opened-here",
    406,
    "It cannot be opened here",
    "This service holds no identity that opens this concern. Ask for `application/age`, and open the file yourself.",
)
ERASED = Kind("concern-erased", 410, "Erased", "The words of this concern were erased. Its dates remain in the inbox.")
UNACKNOWLEDGED = Kind(
    "not-acknowledged", 409, "Not acknowledged yet", "Nobody has acknowledged this concern. That comes first."
)
HELD = Kind("on-hold", 409, "On hold", "This concern is on hold, and is not erased until the hold is lifted.")
CLOSED = Kind("outcome-given", 409, "Already closed", "This concern was closed with another outcome.")

KINDS: Mapping[type[errors.GuidanceError], Kind] = {
    errors.NotFound: NOT_FOUND,
    errors.NoSuchGuide: GUIDE,
    errors.NoSuchEdition: EDITION,
    errors.NoSuchItem: ITEM,
    errors.NoSuchCodeList: CODE_LIST,
    errors.NoSuchConcern: CONCERN,
    errors.EditionWithdrawn: WITHDRAWN,
    errors.Refused: REFUSED,
    errors.QueryRefused: QUERY,
    errors.EditionRefused: REFUSED,
    errors.ConcernRefused: REFUSED,
    errors.EditionAlreadyPublished: PUBLISHED,
    errors.EditionOutOfOrder: ORDER,
    errors.AlreadyKept: KEY_REUSED,
    errors.KeyUsedForOtherWords: KEY_REUSED,
    errors.ReferenceTaken: BUSY,
    errors.TokenNeeded: TOKEN,
    errors.TokenUnknown: UNKNOWN_TOKEN,
    errors.ScopeMissing: SCOPE,
    errors.ProviderAway: PROVIDER,
    errors.ClientExists: DEFECT,
    errors.NoSuchClient: DEFECT,
    errors.PreconditionMissing: PRECONDITION_MISSING,
    errors.PreconditionFailed: PRECONDITION_FAILED,
    errors.AlreadyWithdrawn: WITHDRAWN_BEFORE,
    errors.NotOpenedHere: NOT_OPENED,
    errors.NotPrintedHere: NOT_PRINTED,
    errors.ConcernErased: ERASED,
    errors.NotAcknowledged: UNACKNOWLEDGED,
    errors.OnHold: HELD,
    errors.OutcomeGiven: CLOSED,
    errors.StoreBusy: BUSY,
    errors.TwoKeys: TWO_KEYS,
    errors.ReceiptNotGenuine: DEFECT,
    errors.NotExportable: DEFECT,
    errors.DeskRefused: DEFECT,
    errors.AddressRefused: DEFECT,
    errors.WebhookExists: DEFECT,
    errors.NoSuchWebhook: DEFECT,
    errors.BackupRefused: DEFECT,
    errors.SetUpFault: DEFECT,
    errors.SchemaBehind: DEFECT,
    errors.SchemaUnknown: DEFECT,
    SeedFileError: DEFECT,
}
BY_STATUS: Mapping[int, Kind] = {
    kind.status: kind for kind in (NOT_FOUND, BAD_REQUEST, METHOD, TOO_LARGE, MEDIA_TYPE, BUSY, TOKEN, DEFECT)
}
AROUND = (QUERY, NOT_JSON, TOO_SLOW, TOO_OFTEN, UNKNOWN_HOST, PREFLIGHT)
ALL: tuple[Kind, ...] = tuple(
    sorted({*KINDS.values(), *BY_STATUS.values(), *AROUND}, key=lambda kind: (kind.status, kind.slug))
)


Responses = dict[int | str, dict[str, Any]]

NOT_MODIFIED: Responses = {304: {"description": "The caller's copy, named by If-None-Match, is still right."}}


def shown(**members: Any) -> Responses:
    """What the example of a route's 200 shows otherwise than its model's fields do (see `app.web.openapi`)."""
    return {200: {"content": {"application/json": {"example": members}}}}


def documented(*kinds: Kind) -> Responses:
    """The `responses` of a route that answers these problems, each with an example."""
    responses: Responses = {}
    for kind in (*kinds, QUERY, DEFECT):
        told = responses.setdefault(
            kind.status,
            {"model": Problem, "description": kind.title, "content": {"application/json": {"examples": {}}}},
        )
        told["content"]["application/json"]["examples"][kind.slug] = {"summary": kind.title, "value": _example(kind)}
    return responses


def _example(kind: Kind) -> dict[str, Any]:
    told = {
        "type": kind.type,
        "title": kind.title,
        "status": kind.status,
        "detail": kind.meaning,
        "instance": "urn:uuid:2f1c6e0a-8f0e-4f0b-9a51-6a1f6f0d7c11",
    }
    faults = [{"detail": "This part is required.", "pointer": "#/concern/narrative"}]
    return told | {"errors": faults} if kind is REFUSED else told
