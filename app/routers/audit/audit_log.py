"""Routes for auditors: the audit log, the signed end of a chain of entries, and signed checkpoints of the log."""

from typing import Annotated

from fastapi import Path, Query, Request, Response

from app.db.writer import Writer
from app.errors import NoSuchConcern, NotFound
from app.http.auth import AuditorDep, CallerDep
from app.http.context import ContextDep, SignerDep, WriterDep
from app.http.params import Cursor, Limit
from app.http.problems import RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.http.responses import Responses, page_links
from app.http.routes import GuidanceRouter
from app.models.audit.details import present_audit_entry
from app.models.audit.log_filters import A_CHAIN, CHAIN, LogFilter, OwnLogFilter
from app.models.audit.responses import CheckpointResponse, DisclosuresResponse, StatementResponse
from app.models.audit.rows import AUDIT
from app.models.base import format_utc
from app.models.references import EXAMPLE_REFERENCE
from app.services.access.restrictions import hidden_from
from app.services.access.sealed_cursors import open_number, seal_number
from app.services.audit.audit_log import Actor, read_end_of_chain
from app.services.audit.log_search import LOG_SHEET_HEADERS, read_log, read_log_sheet
from app.services.concerns.receipt_signing import STATEMENT
from app.services.csv_sheets import CSV_MEDIA

router = GuidanceRouter(prefix="/v1/desk", tags=["Audit"], responses=RESPONSES_OF_CLIENT_ROUTES)
AS_SHEET: Responses = {
    200: {
        "description": "The entries, as CSV with a header row.",
        "content": {
            "text/csv": {
                "schema": {"type": "string"},
                "example": "at,person,client,act,chain,number,detail,address\r\n2026-11-24T09:30:00Z,Robin Example,"
                "example-desk/Robin Example,opened,4F7K-926W-0X3R,2,opened here,192.0.2.10\r\n",
            }
        },
    }
}


@router.get("/disclosures", summary="Read the audit log")
def list_disclosures(
    request: Request,
    writer: WriterDep,
    actor: AuditorDep,
    log_filter: Annotated[LogFilter, Query()],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DisclosuresResponse:
    """Who read or changed what, when and from where. Filters are combined with AND. The reading is recorded too.

    With a concern's reference as `chain`, includes the entries of the chain `cards` that name this concern. An unknown
    person, concern or list is an error.
    """
    return _page_of(request, writer, log_filter, actor, limit, cursor)


@router.get("/disclosures.csv", summary="Read the audit log as CSV", response_class=Response, responses=AS_SHEET)
def read_disclosures_csv(writer: WriterDep, actor: AuditorDep, log_filter: Annotated[LogFilter, Query()]) -> Response:
    """The audit log entries as one CSV file. More than 20,000 are refused: ask for fewer days."""
    sheet = read_log_sheet(writer, log_filter, actor=actor, hiding=hidden_from(actor))
    return Response(sheet, media_type=CSV_MEDIA, headers=LOG_SHEET_HEADERS)


@router.get("/own-disclosures", summary="Read your own entries of the audit log")
def list_own_disclosures(
    request: Request,
    writer: WriterDep,
    actor: CallerDep,
    log_filter: Annotated[OwnLogFilter, Query()],
    limit: Limit = 50,
    cursor: Cursor = None,
) -> DisclosuresResponse:
    """Your own entries of the audit log, through any client. Needs no scope. This reading is recorded too."""
    own = LogFilter.model_validate(log_filter.model_dump(by_alias=True) | {"person": actor.person})
    return _page_of(request, writer, own, actor, limit, cursor)


def _page_of(
    request: Request, writer: Writer, log_filter: LogFilter, actor: Actor, limit: int, cursor: str | None
) -> DisclosuresResponse:
    after = open_number(writer.engine, AUDIT, cursor)
    found = read_log(writer, log_filter, actor=actor, hiding=hidden_from(actor), after=after, limit=limit)
    next_cursor = seal_number(writer.engine, AUDIT, found.next_position)
    entries, links = tuple(map(present_audit_entry, found.entries)), page_links(request, next_cursor)
    return DisclosuresResponse(disclosures=entries, next_cursor=next_cursor, links=links)


@router.get(
    "/disclosures/{chain}/statement",
    summary="Sign the end of a chain",
    responses=problem_responses(NotFound, NoSuchConcern),
)
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
def sign_checkpoint(context: ContextDep, actor: AuditorDep) -> CheckpointResponse:
    """The signed number of audit log entries and their Merkle root, to be stored outside this service.

    `guidance verify --checkpoint` later compares it with the database, and detects a log that was rolled back,
    truncated or rewritten.
    """
    signed = context.checkpoints.sign(actor=actor)
    return CheckpointResponse(
        size=signed.size,
        root_sha256=signed.root.hex(),
        at=actor.at,
        checkpoint=signed.note,
        verifier_key=context.checkpoints.signer.verifier_key,
    )
