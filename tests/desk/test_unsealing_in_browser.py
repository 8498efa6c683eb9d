"""Opening sealed concerns in the browser: with an identity that never leaves the page, and no word that does."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Route, expect

from app.age.bech32 import encode_bech32
from app.models.access.roles import Role
from app.models.concerns.examples import FULL_EXAMPLE
from app.pages.frame import DESK_CONTENT_POLICY
from app.pages.page import UNSEAL_PAGE
from tests.support.browsing import Keyboard, accessibility_violations
from tests.support.canaries import CANARY
from tests.support.concerns import add, raise_concern
from tests.support.people import JO, accept_invitation, invited, virtual_authenticator
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.unsealing import choose_key, locked_by_passphrase, need_script
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

WORDS_OF_LOCK = "an invented passphrase of words"
NARRATIVE = FULL_EXAMPLE["concern"]["narrative"]
ADDED = f"{CANARY} came home at six."
NOTED = "A made-up note of the desk."
WIDTHS = (320, 1280)


@dataclass(frozen=True)
class Keys:
    """Files of identities, in a folder: the right one in the clear and locked, and one of somebody else."""

    right: Path
    locked: Path
    wrong: Path
    recipient: str
    secret: str


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    need_script()
    folder = tmp_path_factory.mktemp("keys")
    right, wrong = (pyrage.x25519.Identity.generate() for _ in range(2))
    files = (folder / "identity.txt", folder / "locked.age", folder / "wrong.txt")
    files[0].write_text(f"# an identity for a test\n{right}\n")
    files[1].write_bytes(locked_by_passphrase(files[0].read_bytes(), WORDS_OF_LOCK))
    files[2].write_text(str(wrong))
    return Keys(*files, str(right.to_public()), str(right))


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, keys: Keys) -> FastAPI:
    data_dir = tmp_path_factory.mktemp("hosted") / "data"
    return a_service(data_dir=data_dir, seal_to=(keys.recipient,))


@pytest.fixture(scope="module")
def url(service: FastAPI) -> Iterator[str]:
    with run_server(service) as address:
        yield address.replace("127.0.0.1", "localhost")


@pytest.fixture
def page(browser: Browser, service: FastAPI, url: str) -> Iterator[Page]:
    """A page of a person who signed in by a passkey."""
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 800})
    context.set_default_timeout(30_000)
    page = context.new_page()
    with virtual_authenticator(context, page):
        accept_invitation(page, invited(service, JO, Role.LEAD))
        yield page
    context.close()


def raise_with_addition(url: str) -> dict[str, Any]:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        receipt = raise_concern(client, **FULL_EXAMPLE)
        assert add(client, receipt, ADDED).status_code == 201
    return receipt


def choose(page: Page, file: Path) -> None:
    """Choose the file of an identity. One that is not locked opens at once."""
    if page.locator("[data-lock]").count():
        choose_key(page, file)
    else:
        page.get_by_label("File of the key").set_input_files(file)


def words(page: Page) -> Any:
    return page.get_by_text(NARRATIVE)


@pytest.mark.nightly
def test_unsealed_words_match_the_service_s_and_need_only_a_keyboard(
    page: Page, service: FastAPI, url: str, keys: Keys
) -> None:
    path = f"/desk/concerns/{raise_with_addition(url)['reference']}"
    page.goto(path)
    found = {"sealed": accessibility_violations(page)}
    choose(page, keys.right)
    expect(words(page)).to_be_visible()
    expect(page.get_by_text(ADDED)).to_be_visible()
    expect(page.locator(".sealed .words").first).to_be_focused()
    expect(page.get_by_text("Open it on your own computer")).to_be_hidden()
    found["open"] = accessibility_violations(page)
    here = page.get_by_role("article").inner_text()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth") <= width

    data_dir = service.state.context.settings.data_dir
    opening = a_service(data_dir=data_dir, seal_to=(keys.recipient,), seal_identity_file=keys.right)
    with run_server(opening) as address:
        page.goto(address.replace("127.0.0.1", "localhost") + path)
        there = page.get_by_role("article").inner_text()

    assert found == {"sealed": [], "open": []}
    assert here == there
    assert "Further details" in here


def test_the_identity_stays_between_pages_until_escape_idle_time_or_leaving(page: Page, url: str, keys: Keys) -> None:
    reference = raise_with_addition(url)["reference"]
    page.clock.install()
    page.goto(f"/desk/concerns/{reference}")
    lock = page.locator("[data-lock]")
    expect(lock).to_have_text("Locked: use file")
    choose(page, keys.right)
    expect(words(page)).to_be_visible()
    expect(lock).to_have_text("Unlocked")

    page.get_by_role("link", name="Inbox").press("Enter")
    expect(page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(lock).to_have_text("Unlocked")
    page.get_by_role("link", name=reference).press("Enter")
    expect(words(page)).to_be_visible()
    page.get_by_role("button", name="Acknowledge with addition 1").press("Enter")
    expect(page.get_by_text("Done: acknowledged")).to_be_visible()
    expect(words(page)).to_be_visible()
    Keyboard(page).write("New note", NOTED)
    page.get_by_role("button", name="Add the note").press("Enter")
    expect(page.locator(".sealed .words").get_by_text(NOTED)).to_be_visible()
    page.clock.fast_forward("29:00")
    expect(words(page)).to_be_visible()
    page.mouse.move(10, 10)
    page.clock.fast_forward("29:00")
    expect(words(page)).to_be_visible()
    page.clock.fast_forward("02:00")
    expect(page.get_by_text("The key was locked, since nothing was done")).to_be_visible()
    assert NARRATIVE not in page.content()
    assert ADDED not in page.content()
    assert NOTED not in page.content()

    choose(page, keys.right)
    expect(words(page)).to_be_visible()
    page.reload()
    expect(lock).to_have_text("Locked")
    assert NARRATIVE not in page.content()
    choose(page, keys.right)
    expect(words(page)).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Continue")).to_be_visible()
    page.go_back()
    assert NARRATIVE not in page.content()


def test_a_text_that_does_not_open_is_explained_and_not_shown(page: Page, url: str, keys: Keys) -> None:
    first, second = (raise_with_addition(url)["reference"] for _ in range(2))
    alert, problem = page.get_by_role("alert"), page.locator(".sealed .words .problem")
    page.goto(f"/desk/concerns/{first}")

    choose(page, keys.wrong)
    expect(alert).to_contain_text("it was encrypted to other keys")
    choose(page, UNSEAL_PAGE)
    expect(alert).to_contain_text("This file holds no key")
    choose(page, keys.locked)
    page.get_by_label("Passphrase of the file").fill("another passphrase")
    page.keyboard.press("Enter")
    expect(alert).to_contain_text("The passphrase does not open this file")

    # The server, or somebody on the way, gives other bytes.
    page.route("**/desk/concerns/*", lambda route: exchange(route, first, second))
    page.goto(f"/desk/concerns/{first}")
    choose(page, keys.right)
    expect(problem.nth(0)).to_contain_text("This is not the text that belongs here")
    expect(problem.nth(1)).to_contain_text("This text is damaged")
    assert NARRATIVE not in page.content()
    assert ADDED not in page.content()


def exchange(route: Any, first: str, second: str) -> None:
    """Give the concern of another reference in place of its own, and an addition of which a letter was changed."""
    own = route.fetch().text()
    other = route.fetch(url=route.request.url.replace(first, second)).text()
    (of_first, added), (of_second, _) = ciphertexts(own), ciphertexts(other)
    damaged = added[:-60] + ("A" if added[-60] != "A" else "B") + added[-59:]
    route.fulfill(body=own.replace(of_first, of_second).replace(added, damaged), headers=route.fetch().headers)


def ciphertexts(page: str) -> list[str]:
    return [each.partition("</template>")[0] for each in page.split('<template class="ciphertext">')[1:]]


def test_a_passphrase_or_the_sign_in_passkey_locks_a_file(page: Page, url: str, keys: Keys, tmp_path: Path) -> None:
    path = f"/desk/concerns/{raise_with_addition(url)['reference']}"
    page.goto("/desk/key")
    page.get_by_label("File of the key").set_input_files(keys.right)
    page.get_by_text("Lock the file that you chose").press("Enter")
    page.get_by_label("A new passphrase").fill(WORDS_OF_LOCK)
    with page.expect_download() as first:
        page.keyboard.press("Enter")
    assert pyrage.passphrase.decrypt(Path(first.value.path()).read_bytes(), WORDS_OF_LOCK) == keys.right.read_bytes()
    with page.expect_download() as saved:
        page.get_by_role("button", name="Lock by a passkey").press("Enter")
    locked = tmp_path / "identity-locked.age"
    saved.value.save_as(locked)
    assert keys.secret.encode() not in locked.read_bytes()

    page.get_by_role("button", name="Lock", exact=True).press("Enter")
    page.goto(path)
    choose(page, locked)
    page.get_by_role("button", name="Open with the passkey").press("Enter")

    expect(words(page)).to_be_visible()


def test_unseal_html_opens_what_was_saved_from_disk_without_any_request(
    page: Page, browser: Browser, url: str, keys: Keys, tmp_path: Path
) -> None:
    reference = raise_with_addition(url)["reference"]
    page.goto(f"/desk/concerns/{reference}")
    Keyboard(page).open_up("Open it on your own computer")
    saved = {}
    for name in ("unseal.html", "this concern, sealed"):
        with page.expect_download() as download:
            Keyboard(page).press("link", name)
        saved[name] = tmp_path / download.value.suggested_filename
        download.value.save_as(saved[name])
    offline = browser.new_context(offline=True, viewport={"width": 320, "height": 640})
    alone, requests = offline.new_page(), []
    alone.on("request", lambda request: requests.append(request.url))
    alone.goto(saved["unseal.html"].as_uri())
    assert accessibility_violations(alone) == []
    assert alone.evaluate("document.documentElement.scrollWidth") <= 320

    alone.get_by_label("The sealed concern, with what was added to it").set_input_files(saved["this concern, sealed"])
    choose(alone, keys.locked)
    alone.get_by_label("Passphrase of the file").fill(WORDS_OF_LOCK)
    alone.keyboard.press("Enter")

    expect(words(alone)).to_be_visible()
    expect(alone.get_by_text(ADDED)).to_be_visible()
    expect(alone.get_by_text("What the reporter is worried about")).to_be_visible()
    assert accessibility_violations(alone) == []
    assert alone.evaluate("document.documentElement.scrollWidth") <= 320
    assert requests == [saved["unseal.html"].as_uri()]
    alone.keyboard.press("Escape")
    assert NARRATIVE not in alone.content()
    offline.close()


WATCHED = """(() => {
  window.imported = [];
  window.violations = [];
  const importKey = crypto.subtle.importKey.bind(crypto.subtle);
  crypto.subtle.importKey = (...given) => { imported.push([given[0], given[3]]); return importKey(...given); };
  document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));
})()"""
WRITTEN_AS_TEXT = """() => {
  try { document.body.innerHTML = "<p>x</p>"; return "taken"; } catch (fault) { return fault.name; }
}"""
STORED = """async () => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, await indexedDB.databases()])"""


def test_unseal_html_makes_a_key_whose_file_opens_what_is_sealed_to_it(browser: Browser, keys: Keys) -> None:
    assert keys
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.goto(UNSEAL_PAGE.as_uri())
        page.locator("summary", has_text="Make a key").press("Enter")
        with page.expect_download() as saved:
            page.get_by_role("button", name="Make a key and save its file").press("Enter")
        shown = page.locator("details .code").inner_text()
        assert accessibility_violations(page) == []
        made = Path(saved.value.path()).read_text().splitlines()

    assert (saved.value.suggested_filename, made[1]) == ("identity.txt", f"# public key: {shown}")
    assert str(pyrage.x25519.Identity.from_str(made[2]).to_public()) == shown


def test_keys_and_files_of_a_kind_that_is_left_out_are_refused_in_plain_words(
    browser: Browser, keys: Keys, tmp_path: Path
) -> None:
    hybrid, sealed, errors = tmp_path / "hybrid.txt", tmp_path / "concern.age", list[str]()
    hybrid.write_text(encode_bech32("age-secret-key-pq-", bytes(32)).upper())
    share, body, mac = (base64.b64encode(bytes(length)).decode().rstrip("=") for length in (1120, 32, 32))
    sealed.write_text(f"age-encryption.org/v1\n-> mlkem768x25519 {share}\n{body}\n--- {mac}\n{'0' * 64}")
    with browser.new_context(offline=True) as context:
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.goto(UNSEAL_PAGE.as_uri())
        page.get_by_label("The sealed concern, with what was added to it").set_input_files(sealed)
        choose(page, hybrid)
        expect(page.get_by_role("alert")).to_contain_text("This file holds no key")
        choose(page, keys.right)
        expect(page.get_by_role("alert")).to_contain_text("it was encrypted to other keys")

    assert errors == []


def test_a_key_that_is_locked_while_the_tab_is_about_to_keep_it_is_not_kept(page: Page, url: str, keys: Keys) -> None:
    waiting = list[Route]()
    page.route("**/desk/key/tab", lambda route: waiting.append(route))  # noqa: PLW0108  # a builtin is refused
    page.goto(f"/desk/concerns/{raise_with_addition(url)['reference']}")
    choose(page, keys.right)
    expect(words(page)).to_be_visible()
    wait_until(lambda: page.evaluate("1") == 1 and waiting != [])

    page.locator("[data-lock]").press("Enter")
    with page.expect_response("**/desk/key/tab"):
        waiting[0].continue_()

    expect(page.locator("[data-lock]")).to_have_text("Locked: use file")
    assert page.evaluate("sessionStorage.getItem('desk/kept-key')") is None


def test_the_identity_is_never_stored_in_clear_and_no_text_becomes_markup(page: Page, url: str, keys: Keys) -> None:
    page.add_init_script(WATCHED)
    answer = page.goto(f"/desk/concerns/{raise_with_addition(url)['reference']}")
    choose(page, keys.right)
    expect(words(page)).to_be_visible()

    assert answer is not None
    assert answer.headers["content-security-policy"] == DESK_CONTENT_POLICY
    assert {extractable for form, extractable in page.evaluate("imported") if form == "pkcs8"} == {False}
    page.wait_for_function("sessionStorage.getItem('desk/kept-key')")  # locked with a secret of the session
    stored = page.evaluate(STORED)
    content = keys.right.read_bytes()
    assert [each for each in (keys.secret, base64.b64encode(content)[4:40].decode()) if each in stored] == []
    assert page.evaluate("violations") == []
    assert page.evaluate(WRITTEN_AS_TEXT) == "TypeError"
