"""The team's key by touch: signing in opens it, on a phone and on a second device, and it ends with the person."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from fastapi import FastAPI
from playwright.sync_api import Browser, Page, Request, expect
from sqlmodel import Session, select

from app.age.keys import identity_of
from app.models.access.people import KeyCopyRow
from app.models.access.roles import Role
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.concerns.rows import ConcernRow
from app.services.access.access_record import by_operator
from app.services.concerns.resealing import reseal
from app.services.concerns.sealing import Unsealer, make_sealer
from tests.support.browsing import accessibility_violations, sign_out
from tests.support.clock import A_TUESDAY
from tests.support.concerns import raise_concern
from tests.support.people import context_of_service, invited, virtual_authenticator
from tests.support.service import a_service
from tests.support.unsealing import need_script, unlock

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

LEE, ROBIN = "Lee Example", "Robin Example"
NARRATIVE = FULL_EXAMPLE["concern"]["narrative"]
PHONE, DESK = (390, 844), (1280, 800)
TOUCHES = """(() => {
  window.touched ??= [];
  for (const name of ["create", "get"]) {
    const ask = navigator.credentials[name].bind(navigator.credentials);
    navigator.credentials[name] = async (options) => {
      const made = await ask(options);
      const secret = made.getClientExtensionResults().prf?.results?.first;
      await noteTouch(secret ? [...new Uint8Array(secret)] : []);
      return made;
    };
  }
})()"""


@dataclass
class Device:
    """A browser with its own passkeys. It notes each touch with the secret that the passkey gave, and what was sent."""

    page: Page
    touches: list[bytes] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        self.sent += [request.url, request.post_data or ""]

    def press(self, name: str) -> None:
        self.page.get_by_role("button", name=name, exact=True).first.click()

    def accept(self, link: str) -> None:
        self.page.goto(link)
        self.press("Create a passkey and sign in")
        expect(self.page.get_by_role("heading", name="Your key and passkeys")).to_be_visible()

    def goto(self, path: str) -> None:
        self.page.goto(path)


@dataclass(frozen=True)
class Team:
    identity: pyrage.x25519.Identity
    file: Path


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Team:
    need_script()
    identity, file = pyrage.x25519.Identity.generate(), tmp_path_factory.mktemp("keys") / "team.txt"
    file.write_text(f"# invented\n{identity}\n")
    return Team(identity, file)


@pytest.fixture
def service(tmp_path: Path, team: Team) -> FastAPI:
    return a_service(data_dir=tmp_path / "data", seal_to=(str(team.identity.to_public()),))


@contextmanager
def device(browser: Browser, url: str, size: tuple[int, int], *, has_prf: bool = True) -> Iterator[Device]:
    context = browser.new_context(base_url=url, viewport={"width": size[0], "height": size[1]})
    context.set_default_timeout(30_000)
    found = Device(context.new_page())
    context.expose_function("noteTouch", lambda secret: found.touches.append(bytes(secret)))
    context.add_init_script(TOUCHES)
    found.page.on("request", found.note)
    with virtual_authenticator(context, found.page, has_prf=has_prf):
        yield found
    context.close()


@pytest.fixture
def devices(browser: Browser, url: str) -> Iterator[Any]:
    """Open a device of a size."""
    with ExitStack() as stack:
        yield lambda size=DESK, **options: stack.enter_context(device(browser, url, size, **options))


def lead_with_key(devices: Any, service: FastAPI, team: Team) -> Device:
    """Return the device of a lead who chose the file once."""
    lead: Device = devices()
    lead.accept(f"/desk/invitation#{invited(service, LEE, Role.LEAD)}")
    lead.page.get_by_label("File of the team’s key").set_input_files(team.file)
    lead.press("Store the key for this passkey")
    expect(lead.page.get_by_text("Opens with a touch")).to_be_visible()
    return lead


def concern_at(url: str) -> str:
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        return f"/desk/concerns/{raise_concern(client, **FULL_EXAMPLE)['reference']}"


def words(of: Device) -> Any:
    return of.page.get_by_text(NARRATIVE)


def copies(service: FastAPI) -> dict[str, bytes]:
    with Session(context_of_service(service).engine) as session:
        return {row.person: row.sealed for row in session.exec(select(KeyCopyRow))}


def identity_with(secret: bytes) -> Any:
    return identity_of(HKDF(SHA256(), 32, None, b"council guidance: identity of a passkey, 1").derive(secret))


def test_a_new_person_reads_a_concern_on_a_phone_by_touch(devices: Any, service: FastAPI, url: str, team: Team) -> None:
    path, lead, phone = concern_at(url), lead_with_key(devices, service, team), devices(PHONE)
    phone.accept(f"/desk/invitation#{invited(service, ROBIN)}")
    code = phone.page.locator(".passkeys .code").inner_text()
    found = {"own": accessibility_violations(phone.page)}
    lead.goto(f"/desk/people/person?name={ROBIN}")
    expect(lead.page.get_by_text(code)).to_be_visible()
    lead.press("Give the team’s key")
    expect(lead.page.get_by_text("Opens with a touch")).to_be_visible()
    found["person"] = accessibility_violations(lead.page)

    phone.goto(path)
    phone.press("Open with your passkey")
    expect(words(phone)).to_be_visible()
    first = len(phone.touches)
    phone.goto("/desk/sign-in")
    phone.press("Sign in with a passkey")
    expect(phone.page.locator("[data-lock]")).to_have_text("Unlocked")
    phone.page.get_by_role("link", name=path.rpartition("/")[2]).click()
    expect(words(phone)).to_be_visible()

    assert found == {"own": [], "person": []}
    assert (first, len(phone.touches)) == (2, 3)
    assert pyrage.decrypt(copies(service)[ROBIN], [identity_with(phone.touches[0])]) == str(team.identity).encode()
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(copies(service)[ROBIN], [identity_with(each) for each in lead.touches])
    sent = "\n".join(lead.sent + phone.sent)
    secrets = {each for each in lead.touches + phone.touches if each}
    known = [str(team.identity), *(written for secret in secrets for written in ways_to_write(secret))]
    assert [each for each in known if each.lower() in sent.lower()] == []


def ways_to_write(secret: bytes) -> list[str]:
    coded = (base64.b64encode(secret), base64.urlsafe_b64encode(secret))
    return [secret.hex(), str(identity_with(secret)), *(each.decode().rstrip("=") for each in coded)]


def test_a_leaver_loses_copy_and_session_and_the_key_changes(
    devices: Any, service: FastAPI, url: str, team: Team
) -> None:
    path, lead, phone = concern_at(url), lead_with_key(devices, service, team), devices(PHONE)
    phone.accept(f"/desk/invitation#{invited(service, ROBIN)}")
    lead.goto(f"/desk/people/person?name={ROBIN}")
    lead.press("Give the team’s key")
    expect(lead.page.get_by_text("Opens with a touch")).to_be_visible()
    lead.press(f"Remove {ROBIN}")
    expect(lead.page.get_by_text("change it, and seal every concern again")).to_be_visible()
    lead.press(f"Remove {ROBIN}")
    expect(lead.page.get_by_role("heading", name="Change the team’s key")).to_be_visible()
    violations = accessibility_violations(lead.page)

    phone.goto(path)
    expect(phone.page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()
    phone.press("Sign in with a passkey")
    expect(phone.page.get_by_role("alert")).to_contain_text("We do not know this passkey")
    new = pyrage.x25519.Identity.generate()
    unsealer, sealer = Unsealer((team.identity,)), make_sealer((str(new.to_public()),))
    context = context_of_service(service)
    done = reseal(context.engine, context.writer, unsealer, sealer, actor=by_operator(A_TUESDAY))

    assert (violations, set(copies(service)), done.unopened) == ([], {LEE}, ())
    with Session(context.engine) as session:
        (concern,) = session.exec(select(ConcernRow))
    assert pyrage.decrypt(concern.sealed, [new])
    with pytest.raises(pyrage.DecryptError):
        pyrage.decrypt(concern.sealed, [team.identity])


@pytest.mark.nightly
def test_a_second_passkey_gets_the_key_by_the_first(devices: Any, service: FastAPI, url: str, team: Team) -> None:
    path, lead, phone = concern_at(url), lead_with_key(devices, service, team), devices(PHONE)
    lead.press("Make a link")
    phone.accept(lead.page.get_by_label("Link").input_value())
    lead.goto("/desk/key")
    lead.press("Store the key for this passkey")
    expect(lead.page.get_by_text("Opens with a touch")).to_have_count(2)

    phone.goto(path)
    phone.press("Open with your passkey")

    expect(words(phone)).to_be_visible()


def test_a_device_without_prf_is_told_and_opens_with_the_file(
    devices: Any, service: FastAPI, url: str, team: Team
) -> None:
    path, old = concern_at(url), devices(has_prf=False)
    old.accept(f"/desk/invitation#{invited(service, ROBIN)}")
    expect(old.page.get_by_text("This device cannot open concerns with a touch")).to_be_visible()
    old.goto(path)
    expect(old.page.locator("[data-lock]")).to_have_text("Locked: use file")

    unlock(old.page, team.file)

    expect(words(old)).to_be_visible()


def test_one_touch_on_the_lock_opens_the_inbox_a_search_and_a_concern(
    devices: Any, service: FastAPI, url: str, team: Team
) -> None:
    path, lead = concern_at(url), lead_with_key(devices, service, team)
    lock, before = lead.page.locator("[data-lock]"), len(lead.touches)
    lead.goto("/desk")
    expect(lock).to_have_text("Locked")
    lock.click()
    expect(lead.page.locator("[data-card]")).to_contain_text(FULL_EXAMPLE["children"][0]["given_names"])
    lead.page.reload()
    lead.page.locator("#reference").fill(FULL_EXAMPLE["children"][0]["given_names"])
    lead.page.keyboard.press("Enter")
    expect(lead.page.locator("#found tbody tr")).to_have_count(1)
    lead.goto(path)
    lock.click()

    expect(words(lead)).to_be_visible()
    assert len(lead.touches) == before + 3
    lock.click()
    expect(lock).to_have_text("Locked")
    assert NARRATIVE not in lead.page.content()


def test_the_file_is_chosen_once_in_a_session_and_gone_after_it(
    devices: Any, service: FastAPI, url: str, team: Team
) -> None:
    path, old = concern_at(url), devices(has_prf=False)
    old.accept(f"/desk/invitation#{invited(service, ROBIN)}")
    old.goto(path)
    unlock(old.page, team.file)
    expect(words(old)).to_be_visible()
    lock = old.page.locator("[data-lock]")

    old.page.reload()
    expect(lock).to_have_text("Locked")
    lock.click()
    expect(words(old)).to_be_visible()
    stored = old.page.evaluate("Object.values(sessionStorage).join()")
    sign_out(old.page)
    expect(old.page.get_by_role("heading", name="Sign in to the desk")).to_be_visible()

    assert str(team.identity) not in stored + "".join(old.sent)
    assert old.page.evaluate("Object.keys(sessionStorage)") == []
