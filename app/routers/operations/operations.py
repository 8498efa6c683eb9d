"""Routes for operators: health, metrics and security.txt."""

from fastapi import Request, Response
from prometheus_client import CONTENT_TYPE_LATEST

from app.errors import NotFound
from app.http.auth import PUBLIC
from app.http.context import ContextDep, NowDep, SessionDep, SettingsDep
from app.http.health import HEALTHY, check_health, read_warnings
from app.http.hosts import IS_BELIEVED
from app.http.operations import read_gauges
from app.http.problem_handlers import problem_response
from app.http.problems import response_example
from app.http.responses import conditional_response
from app.http.routes import GuidanceRouter
from app.models.base import format_utc
from app.models.operations.health import Health

router = GuidanceRouter(dependencies=[PUBLIC])
UNAVAILABLE = 503
FAILING = {
    "content": {
        "application/json": {"example": {"status": "unavailable", "checks": {"database": "ok", "writer": "stopped"}}}
    }
}
PATH = "/.well-known/security.txt"
NO_CONTACT = "The operator of this service has set no contact for reports of weaknesses (GUIDANCE_SECURITY_CONTACT)."


@router.get(
    "/health/live",
    tags=["Operations"],
    summary="Check that the process is alive",
    responses=response_example(checks={}),
)
async def read_liveness(settings: SettingsDep) -> Health:
    """Returns 200 while the process can respond."""
    return Health(status=HEALTHY, checks={}, commit=settings.commit)


@router.get(
    "/health/ready",
    tags=["Operations"],
    summary="Check that the service is ready",
    responses={UNAVAILABLE: {"model": Health, "description": "A check fails."} | FAILING},
)
def read_readiness(request: Request, response: Response, context: ContextDep) -> Health:
    """Check that guidance can be read and concerns can be stored. Returns 503 if not.

    Each process writes an invented concern and rolls it back, at most every five seconds while this succeeds. The
    warning `proxy` means that the request came through an untrusted proxy. The warning `test-concerns` means that a
    test concern was sent in the last day: a live system may still be using its test key. The warning `signposts` means
    that local contacts of another council are left out of every page and response. `many-concerns` means that more than
    200 concerns of bursts (many concerns from one source) came in the last hour, and `saved-forms` that saved forms use
    four fifths of their space.
    """
    checks = check_health(context)
    is_ready = set(checks.values()) == {HEALTHY}
    if not is_ready:
        response.status_code = UNAVAILABLE
    warnings = read_warnings(context, checks)
    if "x-forwarded-for" in request.headers and IS_BELIEVED not in request.scope:
        warnings["proxy"] = "not trusted"
    return Health(
        status=HEALTHY if is_ready else "unavailable",
        checks=checks,
        warnings=warnings,
        commit=context.settings.commit,
    )


@router.get(
    "/metrics",
    tags=["Operations"],
    summary="Read the metrics",
    response_class=Response,
    responses={
        200: {"content": {"text/plain": {"example": "guidance_requests_total 1.0"}}, "description": "Prometheus text."}
    },
)
def read_metrics(context: ContextDep, session: SessionDep, now: NowDep) -> Response:
    """Request counts and durations, in the Prometheus text format. Contains no text from concerns."""
    metrics = context.metrics.text(read_gauges(context, session, now=now))
    return Response(metrics, headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get(PATH, include_in_schema=False)
def read_security_txt(request: Request, settings: SettingsDep) -> Response:
    """Return the operator's contact for reports of vulnerabilities, with its date of expiry, or 404 if none is set."""
    if settings.security_expires is None:
        return problem_response(request, NotFound, detail=NO_CONTACT)
    lines = [
        *(f"Contact: {contact}" for contact in settings.security_contact),
        f"Expires: {format_utc(settings.security_expires)}",
        "Preferred-Languages: en",
        f"Canonical: {settings.public_url}{PATH}",
    ]
    content = "\n".join([*lines, ""]).encode()
    return conditional_response(request, content, media_type="text/plain", links={})
