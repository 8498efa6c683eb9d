"""The desk in each state in which its words are opened in the browser."""

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.desk_states import States


def in_browser(page: Page, path: str, right: Path, wrong: Path, locked: Path) -> States:
    """The panel that opens concerns, from the page that is sealed to the blank screen."""
    file, alert = page.get_by_label("File of the identity"), page.get_by_role("alert")
    for further in ("/additions", "/notes", ""):
        page.goto(path + further)
        expect(file).to_be_visible()
        yield f"sealed{further}"
    file.set_input_files(wrong)
    expect(alert).to_contain_text("it was sealed to other keys")
    yield "another identity"
    file.set_input_files(locked)
    expect(page.get_by_label("Its passphrase")).to_be_visible()
    yield "a locked identity"
    file.set_input_files(right)
    expect(page.get_by_role("article")).to_be_visible()
    page.get_by_text("Lock the file that you chose").press("Enter")
    yield "opened in the browser"
    page.get_by_role("button", name="Forget the identity").press("Enter")
    expect(file).to_be_visible()
    yield "an identity that was forgotten"
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Go on")).to_be_visible()
    yield "blank"
