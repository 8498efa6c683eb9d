"""The export of a concern that the service cannot read: made in the browser, and checked offline like any other."""

import io
from collections.abc import Iterator
from pathlib import Path

import httpx
import pypdf
import pytest
from playwright.sync_api import Browser, Page, expect

from app.models.audit.rows import DeskAct
from app.services.desk.exports import ExportFile, find_export_faults, read_export_file
from tests.support.browsing import Keyboard
from tests.support.concerns import add, raise_concern
from tests.support.desk import Served, acts_on
from tests.support.desk_states import sign_in
from tests.support.people import JO
from tests.support.unsealing import unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

CANARY = "Zymurgyexport Łukasz Ŵyn"
LONG = f"{CANARY} came home. " * 300
NOTED = "Zymurgynote about the school."


@pytest.fixture
def page(browser: Browser, served: Served) -> Iterator[Page]:
    context = browser.new_context(base_url=served.url, accept_downloads=True)
    context.set_default_timeout(30_000)
    page = context.new_page()
    sign_in(page, served.service)
    yield page
    context.close()


@pytest.fixture
def reference(served: Served) -> str:
    with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as http:
        receipt = raise_concern(http, concern={"narrative": CANARY}, children=[{"given_names": "Łukasz"}])
        assert add(http, receipt, LONG).is_success
    return str(receipt["reference"])


def open_concern(page: Page, served: Served, reference: str) -> None:
    page.goto(f"/desk/concerns/{reference}")
    unlock(page, served.identity or "")
    expect(page.get_by_role("article", name="The referral")).to_contain_text(CANARY)


def save_export(page: Page, folder: Path) -> bytes:
    Keyboard(page).open_up("Export")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save the export").click()
    saved.value.save_as(folder / "export.pdf")
    return (folder / "export.pdf").read_bytes()


def faults_of(file: ExportFile, served: Served) -> list[str]:
    return list(find_export_faults(file, httpx.get(f"{served.url}/.well-known/jwks.json", trust_env=False).json()))


def test_the_browser_makes_a_signed_file_that_is_checked_offline(
    page: Page, served: Served, reference: str, tmp_path: Path
) -> None:
    bodies = list[str]()
    page.on("request", lambda request: bodies.append(request.post_data or ""))
    open_concern(page, served, reference)
    Keyboard(page).write("New note", NOTED)
    page.get_by_role("button", name="Add the note").click()
    expect(page.locator("p.as-typed", has_text=NOTED)).to_be_visible()
    Keyboard(page).open_up("Export")
    page.get_by_label("Include notes").check()
    Keyboard(page).open_up("Export")

    file = read_export_file(content := save_export(page, tmp_path))

    pdf = pypdf.PdfReader(io.BytesIO(content), strict=True)
    printed = " ".join(" ".join(each.extract_text() for each in pdf.pages).split())
    assert faults_of(file, served) == []
    assert file.document["notes_included"] is True
    assert printed.count("Zymurgyexport") == 301
    for words in ("Łukasz Ŵyn", "First names: Łukasz", NOTED, "Confidential: about a child.", f"noted by {JO}"):
        assert words in printed
    assert b"/MarkInfo << /Marked true >>" in content
    acts = acts_on(served.service, reference)
    assert acts[-1] == (DeskAct.EXPORTED, f"passkey:desk/{JO}", f"sha256:{file.sha256} with notes")
    assert (acts[-2][0], acts[-2][2]) == (
        DeskAct.OPENED,
        "sealed texts, for an export, additions 1 to 1, notes 1 to 1",
    )
    assert [each for each in bodies if "Zymurg" in each] == []


def test_a_word_changed_after_signing_is_found(page: Page, served: Served, reference: str, tmp_path: Path) -> None:
    open_concern(page, served, reference)
    content = save_export(page, tmp_path)

    altered = read_export_file(content.replace(b"/Lang", b"/Lung", 1))

    assert faults_of(altered, served) == ["the file was altered since it was signed"]


def test_without_the_words_open_no_file_is_made(page: Page, served: Served, reference: str) -> None:
    page.goto(f"/desk/concerns/{reference}")
    Keyboard(page).open_up("Export")
    page.get_by_role("button", name="Save the export").click()

    expect(page.get_by_role("alert")).to_contain_text("Open the concern on this page first.")
    assert DeskAct.EXPORTED not in [act for act, _, _ in acts_on(served.service, reference)]
