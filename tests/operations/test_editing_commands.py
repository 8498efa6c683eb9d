"""An editor's commands, run as an editor does: from a document to a published guide, and nothing by accident."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from docx import Document
from playwright.sync_api import Browser, expect

from tests.support.command import guidance
from tests.support.publishing import FIRST_EDITION, SLUG
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.any_database]  # processes

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
WORDS = (
    ("heading", "Neglect in one minute"),
    ("heading", "What is neglect"),
    ("text", "A child's basic needs go unmet, again and again."),
    ("heading", "Signs"),
    ("text", "The child is often hungry."),
    ("heading", "Please remember"),
    ("text", "Poverty is not neglect."),
    ("heading", "Contacts"),
    ("text", "Call the Early Help Line on 01632 960031"),
)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A folder in which the first edition is published."""
    folder = tmp_path / "data"
    assert guidance("publish", FIRST_EDITION, "--data-dir", folder).returncode == 0
    return folder


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def digest_of_file(path: Path, data_dir: Path) -> str:
    approved = guidance("approve", path, "--data-dir", data_dir)
    assert approved.returncode == 0, approved.stderr
    (digest,) = DIGEST.findall(approved.stdout)
    return str(digest)


def test_a_word_file_becomes_a_published_guide_step_by_step(tmp_path: Path, data_dir: Path) -> None:
    document = Document()
    for kind, words in WORDS:
        if kind == "heading":
            document.add_heading(words, level=1)
        else:
            document.add_paragraph(words, style="List Bullet")
    document.save(str(tmp_path / "Neglect.docx"))

    imported = guidance("import", tmp_path / "Neglect.docx", "neglect", "--folder", tmp_path)
    path = tmp_path / "neglect" / "1.yaml"
    checked = guidance("check", path, "--data-dir", data_dir)
    assert (imported.returncode, checked.returncode) == (0, 1)
    assert re.findall(r"^Not placed: (.*)", imported.stdout, re.MULTILINE) == [
        "What is neglect (a heading)",
        "Please remember (a heading)",
    ]
    assert re.findall(r"line \d+: (.*)", checked.stdout) == ["`publisher` needs a name", "`source` needs a publisher"]

    edit(path, "name: ''", "name: Example Council")
    edit(path, "publisher: ''", "publisher: Example Council")
    digest = digest_of_file(path, data_dir)
    unnamed = guidance("publish", path, "--digest", digest, "--data-dir", data_dir)
    published = guidance("publish", path, "--digest", digest, "--new", "--data-dir", data_dir)

    assert (unnamed.returncode, published.returncode) == (1, 0)
    assert "add `--new`" in unnamed.stderr
    assert f"neglect, edition 1: published ({digest})" in published.stdout


def test_nothing_is_published_without_the_digest_or_with_that_of_other_words(tmp_path: Path, data_dir: Path) -> None:
    guidance("new", SLUG, "--folder", tmp_path, "--data-dir", data_dir)
    path = tmp_path / SLUG / "2.yaml"
    edit(path, "First edition, transcribed", "Second edition, transcribed")
    digest = digest_of_file(path, data_dir)
    edit(path, "Second edition", "2nd edition")

    without = guidance("publish", path, "--data-dir", data_dir)
    other = guidance("publish", path, "--digest", digest, "--data-dir", data_dir)

    assert "`guidance approve FILE` prints its digest" in without.stderr
    assert "the content differs from what was approved" in other.stderr
    assert (without.returncode, other.returncode, without.stdout + other.stdout) == (1, 1, "")
    assert "edition 2" not in guidance("verify", "--data-dir", data_dir).stdout


def test_a_withdrawal_needs_a_reason_and_due_lists_what_is_due(data_dir: Path) -> None:
    misspelt = guidance("withdraw", "child-sexual-explotation", "1", "--reason", "x", "--data-dir", data_dir)
    without_reason = guidance("withdraw", SLUG, "1", "--reason", " ", "--data-dir", data_dir)
    due = guidance("due", "--data-dir", data_dir)
    withdrawn = guidance("withdraw", SLUG, "1", "--reason", "A number was wrong.", "--data-dir", data_dir)

    assert misspelt.stderr == "There is no guide with this name.\n"
    assert without_reason.returncode == 2
    first, *others = due.stdout.splitlines()
    assert first == f"{SLUG}\tedition 1\tno day set\tno owner"
    assert {each.partition(" ")[0] for each in others} == {"statement"}
    assert withdrawn.stdout == f"{SLUG}, edition 1: withdrawn\n"


@pytest.mark.embedded
def test_a_check_makes_no_database(tmp_path: Path) -> None:
    checked = guidance("check", FIRST_EDITION, "--data-dir", tmp_path / "none")

    assert checked.returncode == 0
    assert "there is no database" in checked.stderr
    assert not (tmp_path / "none").exists()


@contextmanager
def previewing(path: Path, data_dir: Path) -> Iterator[str]:
    """Run the preview of the file at a free port, and yield the address of its page."""
    command = ("preview", str(path), "--data-dir", str(data_dir), "--port", "0")
    process = subprocess.Popen(
        [sys.executable, "-c", "from app.cli import main; main()", *command], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    lines = (line for line in process.stderr if line.startswith("Preview on "))
    page = next(lines).split()[2]
    try:
        wait_until(lambda: answers(page))
        yield page
    finally:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def answers(page: str) -> bool:
    try:
        return httpx.get(page, timeout=30).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.nightly
@pytest.mark.embedded
def test_a_preview_shows_page_changes_and_pdf_and_stores_nothing(
    tmp_path: Path, data_dir: Path, browser: Browser
) -> None:
    guidance("new", SLUG, "--folder", tmp_path, "--data-dir", data_dir)
    path = tmp_path / SLUG / "2.yaml"
    edit(path, "Secrecy about", "Silence about")
    with previewing(path, data_dir) as address:
        page = browser.new_page(viewport={"width": 320, "height": 640})
        page.goto(address)
        expect(page.get_by_text("Silence about whereabouts")).to_be_visible()
        page.goto(f"{address}/editions/2/changes?since=1")
        expect(page.locator("ins", has_text="Silence")).to_be_visible()
        page.context.close()
        origin = address.partition("/guides/")[0]
        pdf = httpx.get(f"{origin}/v1/guides/{SLUG}.pdf", timeout=30)

    edit(path, "text: child trafficking", "text:")
    faulty = guidance("preview", path, "--data-dir", data_dir)

    assert pdf.headers["Content-Type"] == "application/pdf"
    assert faulty.returncode != 0
    assert "Linked risk 1 needs some text" in faulty.stderr
    assert guidance("new", SLUG, "--folder", tmp_path / "again", "--data-dir", data_dir).stdout.count("2.yaml") > 0
