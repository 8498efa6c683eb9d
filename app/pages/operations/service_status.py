"""The status page, which tells people what works now. The readiness endpoint has the same facts for programs."""

from dataclasses import dataclass

from fastapi import Response

from app.http.auth import PUBLIC
from app.http.context import AppContext
from app.http.health import HEALTHY, check_health
from app.http.routes import GuidanceRouter
from app.models.events.rows import EMAIL
from app.pages.page import SiteDep

router = GuidanceRouter(include_in_schema=False, dependencies=[PUBLIC])
STATUS = "/status"
CALL = "Call the duty team instead: the numbers are on this page."


@dataclass(frozen=True)
class ServicePart:
    """A part of the service. `name` says what people use it for, and `detail` what else they can do."""

    name: str
    works: bool
    detail: str = ""

    @property
    def state(self) -> str:
        return "Working" if self.works else "Not working"


@router.get(STATUS)
def read_service_status(site: SiteDep) -> Response:
    """Return 200 even if a part does not work. No cache may store the page."""
    parts = _parts_of(site.context)
    return site.page("service_status.html", parts=parts, all_work=all(each.works for each in parts), now=site.now)


def _parts_of(context: AppContext) -> list[ServicePart]:
    checks = check_health(context)
    reads = checks["database"] == HEALTHY
    stores = reads and all(checks.get(name, HEALTHY) == HEALTHY for name in ("concerns", "writer", "disk", "process"))
    parts = [
        ServicePart("Reading the guides", reads, "You can read them as they were a short time ago."),
        ServicePart("Raising a concern", stores, CALL),
        ServicePart("Following a concern, and messages", stores, CALL),
    ]
    if context.settings.smtp_host is not None:
        late = "The duty team still has every concern in its own list. It may see new ones later."
        parts.append(ServicePart("Emails to the duty team", EMAIL not in context.outside.failing, late))
    return parts
