"""Checks of the program: its optional packages, and the scripts of its pages."""

import re
from importlib import metadata
from pathlib import Path

from app.services.operations.doctor.finding import Check, Verdict, fault, fine, warn
from app.services.operations.doctor.patient import Patient

DISTRIBUTION = "one-minute-guide"
PAGES_FOLDER = Path(__file__).parents[3] / "pages"
REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+).*extra == ['\"]print['\"]")
BUILT_FOLDER = PAGES_FOLDER / "static"
BUILT, BUILT_PAGE = "unseal.js", "unseal.html"
SCRIPT_OF_PAGES = re.compile(r"src=\"/looks/([\w./-]+\.js)\"")


def check_print(_: Patient) -> Verdict:
    """Check that the packages which set the page to print are installed."""
    absent = [name for name in _printing_packages() if not _is_installed(name)]
    if absent:
        return warn(f"no PDF can be made: {', '.join(absent)} not installed", "install the extra print")
    return fine("the page to print can be made")


def check_scripts(_: Patient) -> Verdict:
    """Check that every script which a page loads was installed, but for the one that is built."""
    pages = [path.read_text() for path in (PAGES_FOLDER / "templates").rglob("*.html")]
    named = {name for page in pages for name in SCRIPT_OF_PAGES.findall(page)} - {BUILT}
    absent = sorted(name for name in named if not (PAGES_FOLDER / "static" / name).is_file())
    if absent:
        return fault(f"pages load scripts that are not there: {', '.join(absent)}", "install the program again")
    return fine(f"the {len(named)} scripts of the pages are there")


def check_desk_script(_: Patient) -> Verdict:
    """Check that the script which opens concerns in the browser was built, and the page that opens them from disk."""
    if not all((BUILT_FOLDER / name).is_file() for name in (BUILT, BUILT_PAGE)):
        return warn(
            "the desk's pages cannot open concerns in the browser: their script was not built",
            "install a released wheel or image, or run make desk-script; guidance desk open opens them without it",
        )
    return fine("the desk's pages can open concerns in the browser")


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
    Check("desk-script", check_desk_script, "docs/how-to/work-at-the-desk.md#open-a-concern-in-the-browser"),
)
