"""A picture in simple words in a real browser: added, described and removed by the keyboard, and read on a phone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page, expect

from app.extensions.editing.services.uploads import MAX_UPLOAD_BYTES
from app.models.access.roles import Role
from tests.extensions.editing.test_edit_in_browser import expect_well_made
from tests.extensions.editing.test_pictures import ORIENTATION, TURNED
from tests.support.drafts import Running, page_of, press_and_arrive
from tests.support.pictures import ALT, SIMPLE, drawing, file_of, noise
from tests.support.publishing import SLUG

pytestmark = [pytest.mark.any_database, pytest.mark.slow, pytest.mark.nightly]

DRAFT = f"/edit/{SLUG}/renditions/{SIMPLE}"
IS_DRAWN = "(image) => image.complete && image.naturalWidth > 0"


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Running]:
    service = Running(tmp_path / "data")
    yield service
    service.stop()


def photo() -> bytes:
    """Return a photo of several MB, taken with the camera on its side."""
    exif = Image.Exif()
    exif[ORIENTATION] = TURNED
    return file_of(noise(2000, 1500), "JPEG", quality=95, exif=exif)


def add_picture(page: Page, number: int, data: bytes) -> None:
    """Add a picture to an item, the first of which has the number 0."""
    item = page.locator(".item-picture").nth(number)
    item.locator("summary").press("Enter")
    chosen = item.locator("input[type=file]")
    chosen.set_input_files({"name": "picture", "mimeType": "image/png", "buffer": data})
    expect(chosen).to_have_js_property("validationMessage", "")
    item.get_by_label("What it shows").fill(ALT)
    with page.expect_navigation():
        item.locator("form button").first.press("Enter")


@pytest.mark.parametrize("scripts", [True, False])
def test_pictures_are_added_and_read_by_keyboard(browser: Browser, running: Running, scripts: bool) -> None:
    ann = page_of(browser, running, "Ann Example", Role.EDITOR, scripts=scripts)
    ben = page_of(browser, running, "Ben Example", Role.PUBLISHER)
    ann.goto(f"/edit/{SLUG}/renditions")
    with ann.expect_navigation():
        ann.locator(f"li#{SIMPLE} button").press("Enter")
    ann.goto(f"{DRAFT}/pictures")
    largest = photo() if scripts else file_of(drawing(480, 640))
    assert len(largest) > MAX_UPLOAD_BYTES or not scripts
    for number, data in enumerate((file_of(drawing()), largest, file_of(drawing(colour="pink")))):
        add_picture(ann, number, data)
    with ann.expect_navigation():
        removed = ann.locator(".item-picture").nth(2)
        removed.locator("summary").press("Enter")
        removed.get_by_role("button", name="Remove the picture").press("Enter")
    expect(ann.locator(".item-picture img")).to_have_count(2)
    upright = ann.locator(".item-picture img").nth(1)
    assert [upright.get_attribute(side) for side in ("width", "height")] == ["480", "640"]
    if scripts:
        expect_well_made(ann, "pictures")
    ann.goto(DRAFT)
    press_and_arrive(ann, "Ask a second person to publish it")

    ben.goto(DRAFT)
    expect(ben.locator("img.of-item")).to_have_count(2)
    expect_well_made(ben, "pictured-draft")
    press_and_arrive(ben, "I have read the changes: publish this rendition now")
    ben.goto(f"/guides/{SLUG}/renditions/{SIMPLE}")
    pictures = ben.locator(".pictured img")
    expect(pictures).to_have_count(2)
    for each in pictures.all():
        each.scroll_into_view_if_needed()
        ben.wait_for_function(IS_DRAWN, arg=each.element_handle())
        assert each.get_attribute("alt") == ALT
    expect_well_made(ben, "pictured")
