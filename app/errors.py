"""What can go wrong, as sentences of the domain. The HTTP status of each stands in one table, in the routers."""

from collections.abc import Sequence
from dataclasses import dataclass

Location = tuple[str | int, ...]


@dataclass(frozen=True)
class FieldError:
    """One thing wrong in what was sent: where it stands, and a sentence that a form can show beside it."""

    at: Location
    detail: str


class GuidanceError(Exception):
    """The root of every error that this service raises on purpose. Its words never repeat what was sent."""


class NotFound(GuidanceError):
    """Nothing answers to that path."""


class NoSuchGuide(NotFound):
    """No guide has that name."""


class NoSuchEdition(NotFound):
    """The guide exists; that edition does not."""


class NoSuchItem(NotFound):
    """The edition exists; that item is not in it."""


class NoSuchCodeList(NotFound):
    """No code list has that name."""


class NoSuchConcern(NotFound):
    """No concern answers to that reference and status token."""


class EditionWithdrawn(GuidanceError):
    """The edition was published and has been withdrawn, with a reason."""

    def __init__(self, *, reason: str, replaced_by: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.replaced_by = replaced_by


class ValidationFailed(GuidanceError):
    """What was sent cannot be accepted as it stands; every fault found is told at once."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = tuple(faults)


class InvalidQuery(ValidationFailed):
    """A query parameter is unknown, repeated or not of its kind."""


class InvalidEdition(ValidationFailed):
    """The content of an edition has faults."""


class InvalidConcern(ValidationFailed):
    """A concern has faults; the person is told whom to call all the same."""


class EditionAlreadyPublished(GuidanceError):
    """Other words already stand under that number, and a published edition never changes."""


class EditionOutOfOrder(GuidanceError):
    """Editions are numbered 1, 2, 3 ... without a gap."""


class AlreadyStored(GuidanceError):
    """The idempotency key was used before: whoever was first has the receipt."""


class ReferenceTaken(GuidanceError):
    """Another concern already has the reference that was drawn."""


class IdempotencyKeyReused(GuidanceError):
    """The idempotency key was used before, with another payload."""


class SeveralIdempotencyKeys(GuidanceError):
    """The request names two idempotency keys, so that a retry could not be told from another concern."""


class TokenMissing(GuidanceError):
    """The request needs a bearer token, and had none that this service knows."""


class TokenInvalid(GuidanceError):
    """The bearer token is not one that this service knows, or no longer."""


class ScopeMissing(GuidanceError):
    """The caller is known, and may not do this."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class ProviderUnavailable(GuidanceError):
    """The OpenID provider's keys could not be read, so its tokens cannot be checked just now."""


class ClientExists(GuidanceError):
    """A client of that name was added before."""


class NoSuchClient(GuidanceError):
    """No client has that name."""


class PreconditionMissing(GuidanceError):
    """The request must say which edition it follows."""


class PreconditionFailed(GuidanceError):
    """Somebody else published since the caller last looked."""


class AlreadyWithdrawn(GuidanceError):
    """The edition was withdrawn before, with another reason."""


class UnsealingUnavailable(GuidanceError):
    """No identity that opens the concern is held by this process: its sealed file can be opened elsewhere."""


class ConcernErased(GuidanceError):
    """The words of the concern were erased; its dates and its outcome remain."""


class NotAcknowledged(GuidanceError):
    """Nobody has acknowledged the concern yet, and that comes first."""


class OnHold(GuidanceError):
    """The concern is on hold, and is not erased."""


class OutcomeGiven(GuidanceError):
    """The concern was closed with another outcome."""


class ReceiptNotGenuine(GuidanceError):
    """The receipt was not signed by any of those keys, or was changed since."""


class StoreBusy(GuidanceError):
    """The store could not keep the act in time; nothing is known to be kept, and the caller should try again."""


class NotExportable(GuidanceError):
    """A public read has no answer, or no whole one, so that an export would have a hole."""


class DeskRequestFailed(GuidanceError):
    """The service did not hand the concern over."""


class AddressNotAllowed(GuidanceError):
    """The address is not one that this service may call."""


class WebhookExists(GuidanceError):
    """A webhook of that name was added before."""


class NoSuchWebhook(GuidanceError):
    """No webhook has that name."""


class PdfUnavailable(GuidanceError):
    """The service was installed without the programs that make PDFs."""


class BackupRefused(GuidanceError):
    """The backup cannot be made or restored as things stand."""


class SchemaBehind(GuidanceError):
    """The database has an older schema than this program works with: run `guidance migrate`, on one node."""


class SchemaUnknown(GuidanceError):
    """The database has a schema that this program does not know: it was made by a newer one, or by none of ours."""


class SetupError(GuidanceError):
    """A setting or a key file is missing or wrong; the service will not start with it."""
