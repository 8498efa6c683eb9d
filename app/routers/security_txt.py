"""The route of security.txt (RFC 9116): the contact for reports of vulnerabilities."""

from fastapi import Request, Response

from app.errors import NotFound
from app.models.base import format_utc
from app.web.auth import PUBLIC
from app.web.context import SettingsDep
from app.web.problems import problem_response
from app.web.responses import conditional_response
from app.web.router import GuidanceRouter

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC])

PATH = "/.well-known/security.txt"
NO_CONTACT = "The operator of this service has set no contact for reports of weaknesses (GUIDANCE_SECURITY_CONTACT)."


@router.get(PATH)
def read_security_txt(request: Request, settings: SettingsDep) -> Response:
    """Return the operator's contact for reports of vulnerabilities, with its date of expiry."""
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
