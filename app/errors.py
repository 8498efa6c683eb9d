"""The errors of the domain, each in a sentence. `app.web.problem_types` gives each its HTTP status.

The command line prints the docstring of an error that was raised without a message.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from app.faults import FaultCode, FieldError

MAX_FAULTS = 10


class GuidanceError(Exception):
    """The base of every error that this service raises on purpose. Its message never repeats what was sent."""


class NotFound(GuidanceError):
    """Nothing exists at that path."""


class NoSuchGuide(NotFound):
    """No guide has that name."""


class NoSuchEdition(NotFound):
    """The guide exists; that edition does not."""


class NoSuchItem(NotFound):
    """The list exists; that item is not in it. A message says which list, where it is not an edition's."""


class NoSuchCodeList(NotFound):
    """No code list has that name."""


class NoSuchConcern(NotFound):
    """No concern has that reference and status token; at the desk, which needs no token, a message says so."""


class NoSuchDraft(NotFound):
    """No saved form has that code, or it was opened, or its time is over."""


class CursorAhead(GuidanceError):
    """The cursor is after the last event: it is of another database, or of this one before a restore."""


class EditionWithdrawn(GuidanceError):
    """The edition was published and has been withdrawn, with a reason."""

    def __init__(self, *, reason: str, replaced_by: int | None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.replaced_by = replaced_by


class ValidationFailed(GuidanceError):
    """What was sent has faults. The error carries every fault that was found."""

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(f"{len(faults)} fault(s)")
        self.faults = tuple(faults)


class InvalidQuery(ValidationFailed):
    """A query parameter cannot be used as it is."""


class InvalidCursor(InvalidQuery):
    """The cursor is not one that this service gave."""

    def __init__(self, detail: str, *, parameter: str = "cursor") -> None:
        super().__init__([FieldError((), detail, FaultCode.WRONG_FORM, "query", parameter)])


class InvalidMoment(InvalidQuery):
    """The requested time is neither a day nor a moment."""


class InvalidEdition(ValidationFailed):
    """The content of an edition has faults."""


class InvalidConcern(ValidationFailed):
    """A concern has faults. The response still gives the numbers to call."""


class EditionAlreadyPublished(GuidanceError):
    """That number already has other content, and a published edition never changes."""


class EditionOutOfOrder(GuidanceError):
    """Editions are numbered 1, 2, 3 ... without a gap."""


class AlreadyStored(GuidanceError):
    """The idempotency key was used before, and the first request has the receipt."""


class ReferenceTaken(GuidanceError):
    """Another concern already has the new reference."""


class IdempotencyKeyReused(GuidanceError):
    """The idempotency key was used before, with another payload."""


class SeveralIdempotencyKeys(GuidanceError):
    """The request has two idempotency keys, so a retry would look like another concern."""


class TooManyTries(GuidanceError):
    """Too many wrong status tokens came for one concern. After `seconds` they are read again."""

    def __init__(self, seconds: int) -> None:
        super().__init__()
        self.seconds = seconds


class TokenMissing(GuidanceError):
    """The request needs a bearer token and has none."""


class TokenInvalid(GuidanceError):
    """The bearer token is unknown, or is no longer valid. The message is the reason, for the log alone."""


class ScopeMissing(GuidanceError):
    """The caller is known, but lacks the scope for this."""

    def __init__(self, scope: str) -> None:
        super().__init__(scope)
        self.scope = scope


class ProviderUnavailable(GuidanceError):
    """The OpenID provider's keys could not be read, so its tokens cannot be checked. The message is for the log."""


class ClientExists(GuidanceError):
    """There is already a client of that name."""


class NoSuchClient(GuidanceError):
    """No client has that name."""


class NoSuchPerson(GuidanceError):
    """No person at the desk has that name."""


class PreconditionMissing(GuidanceError):
    """The request must say which edition it follows."""


class PreconditionFailed(GuidanceError):
    """Another edition was published after the one that the caller read."""


class AlreadyWithdrawn(GuidanceError):
    """The edition is already withdrawn, with another reason."""


class UnsealingUnavailable(GuidanceError):
    """No identity of this process opens the concern. The sealed file can be opened elsewhere."""


class SealedTextMisplaced(GuidanceError):
    """The sealed text belongs to another concern, so nothing of it is shown: run `guidance verify` on the server."""


class ConcernErased(GuidanceError):
    """The text of the concern was erased. Its dates and its outcome remain."""


class NotAcknowledged(GuidanceError):
    """The concern, and everything that was added to it, must be acknowledged first."""


class TooManyAdditions(GuidanceError):
    """The concern has as many additions, or as large ones, as it may have. The response gives the numbers to call."""


class OnHold(GuidanceError):
    """The concern is on hold, so it is not erased."""


class OutcomeGiven(GuidanceError):
    """The concern is already closed, with another outcome."""


class ReceiptNotGenuine(GuidanceError):
    """The receipt was not signed with any of those keys, or was changed later."""


class CheckpointNotGenuine(GuidanceError):
    """The checkpoint was not signed with any of those keys, or was changed later."""


class TimestampUnavailable(GuidanceError):
    """The time stamping authority gave no time stamp."""


class TimestampNotGenuine(GuidanceError):
    """The time stamp is not of that authority, or not of that checkpoint."""


class StoreBusy(GuidanceError):
    """The write was not confirmed in time. It may not be stored, and the caller should try again."""


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


class PdfUnavailable(GuidanceError):
    """The service was installed without the programs that make PDFs."""


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


class RowNotStored(GuidanceError):
    """The database took a row and did not store it: another program added a rule to it."""


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
