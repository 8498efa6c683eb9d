"""Checks of `guidance doctor` for the pages of the database file, and for files that web pages and PDFs need."""

import re
from importlib import metadata
from pathlib import Path

from sqlalchemy import text

from app.models.base import counted
from app.services.operations.check_model import CheckContext, Verdict, fault, fine, unchecked_verdict, warn

DISTRIBUTION = "one-minute-guide"
PAGES_FOLDER = Path(__file__).parents[3] / "pages"
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]++).*extra == ['\"]print['\"]")
BUILT_FOLDER = PAGES_FOLDER / "static"
BUILT, BUILT_PAGE = "unseal.js", "unseal.html"
SCRIPT_OF_PAGES = re.compile(r"src=\"/looks/([\w./-]+\.js)\"")


def check_pages(context: CheckContext) -> Verdict:
    """Check the pages of the embedded database's file."""
    if not context.is_embedded:
        return unchecked_verdict("the database server has the files")
    with context.engine.connect() as connection:
        faults = [str(row[0]) for row in connection.execute(text("PRAGMA quick_check")) if row[0] != "ok"]
    if faults:
        return fault(
            f"the file is damaged in {counted(len(faults), 'place')}",
            "stop the service, keep the file, and restore a backup",
        )
    return fine("the database file is not damaged")


def check_print(_: CheckContext) -> Verdict:
    """Check that the optional packages are installed."""
    needed = filter(None, map(REQUIREMENT.match, metadata.requires(DISTRIBUTION) or ()))
    absent = [each[1] for each in needed if not _is_installed(each[1])]
    if absent:
        return warn(f"no PDF can be made: {', '.join(absent)} not installed", "install the extra print")
    return fine("PDFs can be made")


def check_scripts(_: CheckContext) -> Verdict:
    """Check scripts that templates name, except `BUILT`."""
    pages = [path.read_text() for path in (PAGES_FOLDER / "templates").rglob("*.html")]
    named = {name for page in pages for name in SCRIPT_OF_PAGES.findall(page)} - {BUILT}
    absent = sorted(name for name in named if not (PAGES_FOLDER / "static" / name).is_file())
    if absent:
        return fault(f"page scripts are missing: {', '.join(absent)}", "reinstall the program")
    return fine(f"all {len(named)} page scripts are installed")


def check_desk_script(_: CheckContext) -> Verdict:
    """Check the built script, and its offline page."""
    if not all((BUILT_FOLDER / name).is_file() for name in (BUILT, BUILT_PAGE)):
        return warn(
            "the desk cannot decrypt concerns in the browser: its script was not built",
            "install a released wheel or image, or run make desk-script; or use guidance desk open",
        )
    return fine("the desk can decrypt concerns in the browser")


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
