"""Checks of the program: its optional packages, and the scripts of its pages."""

import re
from importlib import metadata
from pathlib import Path

from app.services.operations.doctor.finding import Check, Verdict, fault, fine, warn
from app.services.operations.doctor.patient import Patient

DISTRIBUTION = "one-minute-guide"
PAGES_FOLDER = Path(__file__).parents[3] / "pages"
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*extra == ['\"]print['\"]")
SCRIPT_OF_PAGES = re.compile(r"src=\"/looks/([\w./-]+\.js)\"")


def check_print(_: Patient) -> Verdict:
    """Check that the packages which set the page to print are installed."""
    absent = [name for name in _printing_packages() if not _is_installed(name)]
    if absent:
        return warn(f"no PDF can be made: {', '.join(absent)} not installed", "install the extra print")
    return fine("the page to print can be made")


def check_scripts(_: Patient) -> Verdict:
    """Check that every script which a page loads was installed: that of the desk opens concerns in the browser."""
    pages = [path.read_text() for path in (PAGES_FOLDER / "templates").rglob("*.html")]
    named = {name for page in pages for name in SCRIPT_OF_PAGES.findall(page)}
    absent = sorted(name for name in named if not (PAGES_FOLDER / "static" / name).is_file())
    if absent:
        return fault(f"pages load scripts that are not there: {', '.join(absent)}", "install the program again")
    return fine(f"the {len(named)} scripts of the pages are there")


def _printing_packages() -> list[str]:
    return [found[1] for each in metadata.requires(DISTRIBUTION) or () if (found := REQUIREMENT.match(each))]


def _is_installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True


PROGRAM_CHECKS = (
    Check("print", check_print, "docs/reference/pages.md#the-page-to-print"),
    Check("scripts", check_scripts, "docs/reference/pages.md"),
)
