"""An export of one concern: what this service signs about it, and the record of the file."""

from app.errors import ConcernErased, NoSuchConcern
from app.http.params import GuidanceRouter, JSONRoute
from app.http.problems import BODY_PROBLEMS, RESPONSES_OF_CLIENT_ROUTES, problem_responses
from app.models.exports import ExportEntry, ExportStatement, NewExport
from app.routers.acts import ONE_CONCERN, WorkingDep
from app.services import exports

router = GuidanceRouter(
    prefix=ONE_CONCERN,
    tags=["Desk"],
    responses=RESPONSES_OF_CLIENT_ROUTES,
    route_class=JSONRoute,
)
_REFUSED = (NoSuchConcern, ConcernErased)


@router.get("/export-statement", summary="Sign what is known of a concern", responses=problem_responses(*_REFUSED))
def read_export_statement(asked: WorkingDep) -> ExportStatement:
    """The concern in clear and its whole history, signed. `guidance desk export` begins an export with it.

    The history has the digest of every sealed text, so the words need not be known here to be proved.
    """
    return exports.sign_statement(asked.desk, asked.reference, asked.actor)


@router.post(
    "/export",
    operation_id="record_export",
    summary="Record and sign an export",
    status_code=201,
    responses=problem_responses(*_REFUSED, *BODY_PROBLEMS),
)
def record_export(asked: WorkingDep, export: NewExport) -> ExportEntry:
    """Record the file that was made on the worker's machine, before it leaves that machine, and sign its digest."""
    desk = asked.desk
    return exports.record_export(desk.writer, asked.reference, export, asked.actor, desk.signer)
