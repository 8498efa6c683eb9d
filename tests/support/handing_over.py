"""Handing a concern over at the desk by the keyboard alone, and opening the file as the other body does."""

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
from playwright.sync_api import expect

from tests.support.keyboard import Keyboard
from tests.support.people import JO

BODY = "Example Council"
REASON = "The child lives there."
RECEIPT = "Received by Example Council, number 17."


def hand_over(keys: Keyboard, file: Path) -> None:
    """Pick the body, say why, send, save the file, and store the receipt that the body sends back."""
    page = keys.page
    keys.open_up("Hand it over")
    page.get_by_label("To which body").focus()
    page.keyboard.type(BODY)
    keys.write("Why, for the record and for the body", REASON)
    keys.press("button", "Hand it over")
    expect(page.get_by_role("heading", name="It is on the record")).to_be_visible()
    with page.expect_download() as saved:
        keys.press("link", "Save the file")
    saved.value.save_as(file)
    keys.press("link", "Skip to main content")
    expect(page.get_by_role("heading", name="It is on the record")).to_be_visible()
    keys.press("link", "Back to the concern")
    keys.write("Receipt that the body sent back", RECEIPT)
    keys.press("button", "Store the receipt")
    expect(page.get_by_text(f"Receipt of the other body stored by {JO}")).to_be_visible()
    expect(page.get_by_text(f"Handed over by {JO}")).to_be_visible()


def see_on_record(http: Any, reference: str, file: Path) -> None:
    """The one hand-over has the digest of the file, the body, why, and both receipts."""
    (entry,) = http.get(f"/v1/desk/concerns/{reference}/hand-over").json()["hand_overs"]
    assert entry["package_sha256"] == sha256(file.read_bytes()).hexdigest()
    assert (entry["body"], entry["reason"], entry["their_receipt"]) == (BODY, REASON, RECEIPT)
    assert entry["receipt"].count(".") == 2


def open_as_body(file: Path, identity: Path) -> Any:
    """Return what is in the file: by the `age` program, where there is one."""
    age = shutil.which("age")
    if age is None:
        keys = [pyrage.x25519.Identity.from_str(identity.read_text().split()[-1])]
        return json.loads(pyrage.decrypt(file.read_bytes(), keys))
    plain = subprocess.run([age, "-d", "-i", identity, file], capture_output=True, check=True)
    return json.loads(plain.stdout)
