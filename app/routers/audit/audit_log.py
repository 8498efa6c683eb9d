"""Routes for auditors: the audit log, the signed end of a chain, and signed checkpoints of the whole log."""

from typing import Annotated

from fastapi import Depends, Path, Query

from app.errors import NotFound
from app.http.auth import AuditorDep
from app.http.context import CheckpointsDep, SignerDep, WriterDep
from app.http.params import Cursor, Limit
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.routes import GuidanceRouter
from app.models.audit.details import present_audit_entry
from app.models.audit.responses import CheckpointResponse, DisclosuresResponse, StatementResponse
from app.models.base import format_utc
from app.models.references import EXAMPLE_REFERENCE
from app.services.audit.audit_log import RecordPage, read_audit_log, read_end_of_chain
from app.services.concerns.receipt_signing import STATEMENT
from app.services.cursors import decode_key, encode_key

router = GuidanceRouter(prefix="/v1/desk", tags=["Audit"], responses=RESPONSES_OF_CLIENT_ROUTES)
A_CHAIN = "A concern's reference, or `inbox`, `cards`, `audit`, `events`, `people` or `webhooks`."
CHAIN = r"^[0-9A-Za-z-]{1,40}$"


async def ask_page(
    chain: Annotated[
        str | None, Query(pattern=CHAIN, max_length=40, description=A_CHAIN, examples=[EXAMPLE_REFERENCE])
    ] = None,
    client: Annotated[
        str | None,
        Query(
            max_length=200,
            description="Only actions of this client, or of one person (`client/person`).",
            examples=["example-desk"],
        ),
    ] = None,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> RecordPage:
    """FastAPI dependency: return the part of the audit log that the query parameters ask for."""
    return RecordPage(chain, client, decode_key(cursor, otherwise=0), limit)


@router.get("/disclosures", summary="Read the audit log")
def list_disclosures(
    writer: WriterDep, actor: AuditorDep, wanted: Annotated[RecordPage, Depends(ask_page)]
) -> DisclosuresResponse:
    """Who read or changed what, when and from where, oldest first. Reading the audit log is recorded too.

    With a concern's reference as `chain`, includes the entries of the chain `cards` that name this concern.
    """
    rows = read_audit_log(writer, wanted, actor=actor)
    page = rows[: wanted.limit]
    next_cursor = encode_key(page[-1].position or 0) if len(rows) > wanted.limit else None
    return DisclosuresResponse(disclosures=tuple(map(present_audit_entry, page)), next_cursor=next_cursor)


@router.get("/disclosures/{chain}/statement", summary="Sign the end of a chain", responses=problem_responses(NotFound))
def sign_statement(
    *,
    signer: SignerDep,
    writer: WriterDep,
    actor: AuditorDep,
    chain: Annotated[str, Path(pattern=CHAIN, max_length=40, description=A_CHAIN, examples=[EXAMPLE_REFERENCE])],
) -> StatementResponse:
    """The signed length and last hash of a chain, for an auditor to store outside this service."""
    length, head = writer.run(read_end_of_chain, chain, actor=actor)
    claims = {
        "sub": chain,
        "length": length,
        "head_sha256": head,
        "iat": int(actor.at.timestamp()),
        "at": format_utc(actor.at),
    }
    statement = signer.sign(claims, kind=STATEMENT)
    return StatementResponse(chain=chain, length=length, head_sha256=head, at=actor.at, statement=statement)


@router.get("/checkpoint", summary="Sign a checkpoint of the audit log")
def sign_checkpoint(checkpoints: CheckpointsDep, actor: AuditorDep) -> CheckpointResponse:
    """The signed number of audit log entries and their Merkle root, to be stored outside this service.

    `guidance verify --checkpoint` later compares it with the database, and detects a log that was rolled back,
    truncated or rewritten.
    """
    signed = checkpoints.sign(actor=actor)
    return CheckpointResponse(
        size=signed.size,
        root_sha256=signed.root.hex(),
        at=actor.at,
        checkpoint=signed.note,
        verifier_key=checkpoints.signer.verifier_key,
    )
