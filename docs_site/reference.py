"""Pages of the reference that are made from the program, so that they cannot differ from it."""

import tempfile
from pathlib import Path

from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from docs_site.api import operations_page, schemas_page
from docs_site.command_line import commands_page
from docs_site.licences import licences_page
from docs_site.metrics import metrics_page
from docs_site.problems import problems_page
from docs_site.settings import settings_page


def generated_pages() -> dict[str, str]:
    """Return the text of each page by its place on the site. A service is made, called once, and ended."""
    with tempfile.TemporaryDirectory() as folder:
        service = create_app(Settings(data_dir=Path(folder), deliver=False))
        with TestClient(service) as client:
            client.get("/health/live")
            exposed = client.get("/metrics").text
            problems = client.get("/v1/problems").json()
    document = service.openapi()
    return {
        "reference/api.md": operations_page(document),
        "reference/schemas.md": schemas_page(document),
        "reference/command-line.md": commands_page(),
        "reference/metrics-list.md": metrics_page(exposed),
        "reference/settings-list.md": settings_page(),
        "reference/problems-list.md": problems_page(problems),
        "reference/licences.md": licences_page(),
    }
