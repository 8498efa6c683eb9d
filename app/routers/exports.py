"""An export of one concern: what this service signs about it, and the record of the file."""

from app.errors import ConcernErased, NoSuchConcern
from app.http.auth import WorkerDep
from app.http.context import EngineDep, NowDep, SignerDep, WriterDep
from app.http.params import ConcernReference, GuidanceRouter, JSONRoute
from app.http.problems import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.models.exports import ExportEntry, ExportStatement, NewExport
from app.services import exports
from app.services.exports import export_statement
from app.services.inbox import reference_of

router = GuidanceRouter(
    prefix="/v1/desk/concerns/{reference}",
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
_REFUSED = (NoSuchConcern, ConcernErased)


@router.get("/export-statement", summary="Sign what is known of a concern", responses=problem_responses(*_REFUSED))
def read_export_statement(
    engine: EngineDep, signer: SignerDep, writer: WriterDep, actor: WorkerDep, now: NowDep, reference: ConcernReference
) -> ExportStatement:
    """The concern in clear and its whole history, signed. `guidance desk export` begins an export with it.

    The history has the digest of every sealed text, so the words need not be known here to be proved.
    """
    parsed = reference_of(reference)
    start = exports.begin_export(writer, parsed, actor=actor, at=now)
    return export_statement(engine, signer, start, at=now)


@router.post(
    "/export",
    operation_id="record_export",
    summary="Record and sign an export",
    status_code=201,
    responses=problem_responses(*_REFUSED, *BODY_PROBLEMS),
)
def record_export(
    *,
    signer: SignerDep,
    writer: WriterDep,
    actor: WorkerDep,
    now: NowDep,
    reference: ConcernReference,
    export: NewExport,
) -> ExportEntry:
    """Record the file that was made on the worker's machine, before it leaves that machine, and sign its digest."""
    parsed = reference_of(reference)
    return exports.record_export(writer, parsed, export, signer=signer, actor=actor, at=now)
