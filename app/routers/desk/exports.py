"""Routes for the export of one concern: the statement that this service signs, and the audit log entry for the file."""

from app.errors import ConcernErased, NoSuchConcern
from app.http.problems import BODY_PROBLEMS, problem_responses
from app.models.desk.exports import ExportEntry, ExportStatement, NewExport
from app.routers.desk.actions import ONE_CONCERN, WorkingDep, desk_router
from app.services.desk import exports

router = desk_router(ONE_CONCERN)
_REFUSED = (NoSuchConcern, ConcernErased)


@router.get("/export-statement", summary="Sign a statement about a concern", responses=problem_responses(*_REFUSED))
def read_export_statement(request: WorkingDep) -> ExportStatement:
    """The unencrypted data of the concern and its full history, signed. Exports start with it.

    The history has the digest of every sealed text, which proves the text without this service knowing it.
    """
    return exports.sign_export(request.desk, request.reference, request.actor)


@router.post(
    "/export",
    operation_id="record_export",
    summary="Record and sign an export",
    status_code=201,
    responses=problem_responses(*_REFUSED, *BODY_PROBLEMS),
)
def record_export(request: WorkingDep, export: NewExport) -> ExportEntry:
    """Record a file made on the worker's computer before it leaves, and sign its digest."""
    desk = request.desk
    return desk.writer.run(exports.record_export, request.reference, export, request.actor, desk.signer)
