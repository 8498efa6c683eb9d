"""Where to report a weakness of this service: security.txt (RFC 9116)."""

from fastapi import Request, Response

from app.models.base import utc_text
from app.web.auth import PUBLIC
from app.web.responses import CURRENT, finished_answer
from app.web.context import TheParts
from app.web.problem_types import NOT_FOUND
from app.web.problems import problem
from app.web.router import Routes

router = Routes(include_in_schema=False, dependencies=[PUBLIC])

PATH = "/.well-known/security.txt"
NOBODY = "Whoever operates this service has set no contact for reports of weaknesses (GUIDANCE_SECURITY_CONTACT)."


@router.get(PATH)
def read_security_txt(request: Request, parts: TheParts) -> Response:
    """The operator's contact for reports of weaknesses, and until when it holds."""
    settings = parts.settings
    if settings.security_expires is None:
        return problem(request, NOT_FOUND, detail=NOBODY)
    lines = [
        *(f"Contact: {contact}" for contact in settings.security_contact),
        f"Expires: {utc_text(settings.security_expires)}",
        "Preferred-Languages: en",
        f"Canonical: {settings.public_url}{PATH}",
    ]
    content = "\n".join([*lines, ""]).encode()
    return finished_answer(request, content, media_type="text/plain", caching=CURRENT, links={})
