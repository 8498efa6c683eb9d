"""Reference pages that are generated from the program, so that they always agree with it."""

import tempfile
from pathlib import Path

from app.config import Settings
from app.main import create_app
from docs_site.api import operations_page, schemas_page
from docs_site.command_line import commands_page
from docs_site.dependencies import dependencies_page
from docs_site.problems import with_meanings
from docs_site.settings import with_values

COMPLETED = {"reference/settings.md": with_values, "reference/problems.md": with_meanings}
"""Functions that complete a document with a generated table, by the document's path in `docs/`."""


def generated_pages() -> dict[str, str]:
    """Return the text of each generated page, by its path on the site."""
    with tempfile.TemporaryDirectory() as folder:
        document = create_app(Settings(data_dir=Path(folder))).openapi()
    return {
        "reference/api.md": operations_page(document),
        "reference/schemas.md": schemas_page(document),
        "reference/command-line.md": commands_page(),
        "reference/dependencies.md": dependencies_page(),
    }
