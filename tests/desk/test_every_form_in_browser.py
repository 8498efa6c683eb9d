"""Every form of the desk and of the editors' pages, found in their HTML and pressed in a browser, shows its answer.

A press finds no answer if the page says that the service did not take it, or if it shows another page than the service
sent. The forms of an answer are pressed too, so that a question before an act is answered.
"""

import datetime as dt
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pyrage
import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from playwright.sync_api import Browser, Page, Response, expect
from playwright.sync_api import Error as PlaywrightError
from sqlmodel import Session

from app.extensions.editing.services.draft_links import LINK_DAYS, make_draft_link
from app.extensions.editing.services.draft_review import offer_draft, schedule_draft
from app.extensions.editing.services.drafts import DraftAct, write_guide_draft
from app.extensions.editing.services.rendition_drafts import begin_rendition
from app.models.access.roles import Role
from app.models.concerns.examples import FULL_EXAMPLE
from app.models.languages import RenditionForm
from app.services.concerns.keys import create_identity
from app.services.guides.editions import get_current
from tests.support.clock import A_TUESDAY
from tests.support.concerns import add
from tests.support.desk import Served, desk_of
from tests.support.desk_states import SAM, raised, session_of
from tests.support.drafts import SEED_GUIDE, whole_draft, writer_of
from tests.support.people import JO, acts_of_people, context_of_service, invited, store_passkey
from tests.support.publishing import publish_next
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.unsealing import need_script, unlock
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

BODY = "Example Council"
DID_NOT_TAKE_IT = "The service did not take it"
STARTS = {Role.LEAD: "/desk", Role.PUBLISHER: "/edit"}
WHO = {Role.LEAD: JO, Role.PUBLISHER: "Pat Example"}
CONCERNS = 8
"""In each state. Most forms about a concern take one."""
MOST = 3 * CONCERNS
PLACE = re.compile(r"{[a-z_]+}")
LEFT_OUT = {
    "/desk": {
        *("/desk/sign-in", "/desk/sign-in/options", "/desk/invitation", "/desk/invitation/options"),
        *("/desk/key/link", "/desk/key/copies", "/desk/key/copies/removal", "/desk/people/key", "/desk/assignment"),
        *("/desk/new/typed", "/desk/person-file/typed"),
        *(f"/desk/person-file/{{number}}/{name}" for name in ("typed", "record")),
        *(
            f"/desk/concerns/{{reference}}/{name}"
            for name in ("typed", "copy-sheet", "export-record", "export-statement", "file-texts")
        ),
    },
    "/edit": {"/edit/picture"},
}
"""Paths to which no form in sight sends: a passkey does, or the script of the desk."""
A_SCHOOL = {"X-Forwarded-For": "192.0.2.7"}
NEIGHBOUR = str(pyrage.x25519.Identity.generate().to_public())
GUIDES = ("county-lines", "online-harm", "private-fostering", "young-carers", "fabricated-illness")
PLANNED = GUIDES[-1]
FILE = {
    "name": "words.txt",
    "mimeType": "text/plain",
    "buffer": "A guide\nVersion 3\nSigns to look for\n• A made-up sign\nFurther reading\nA made-up book\n".encode(),
}
"""A guide with lines that have no place in a draft."""
FOLLOW = """address => {
  const link = document.createElement("a");
  link.href = address;
  document.querySelector("main").append(link);
  link.click();
}"""
TITLES = """() => {
  const heading = document.querySelector("main h1")?.cloneNode(true);
  heading?.querySelector("[data-whom]")?.replaceChildren(); // the script adds it
  return [document.title, heading?.innerHTML ?? ""];
}"""
SWEEP = r"""
window.sweep = (() => {
  const shape = (address) => new URL(address, location.href).pathname
    .replace(/[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}/, "{reference}").replace(/\/[0-9]+(?=\/|$)/, "/{number}")
    .replace(/^\/edit\/(?!new|document)[^/]+/, "/edit/{guide}")
    .replace(/renditions\/(?!begin)[^/]+/, "renditions/{language}")
    .replace(/numbers\/[^/]+/, "numbers/{item}")
    .replace(/sections\/.+/, "sections/{page}").replace(/bursts\/[^/]+/, "bursts/{burst}");
  const buttonsOf = (form, place) => [...form.querySelectorAll("button:not([type=button], [hidden])")].map((button) => {
    const action = button.getAttribute("formaction") ?? form.getAttribute("action") ?? place;
    const act = button.name ? ` ${button.name}=${button.value.split(/[:.]/)[0]}` : "";
    return { button, key: `${form.method} ${shape(action)}${act}`, address: new URL(action, location.href).pathname };
  });
  const formsOf = (page, place) => [...page.querySelectorAll("form[method]")].flatMap((form) => buttonsOf(form, place));
  const get = (address) => new Promise((done) => {
    const request = new XMLHttpRequest();
    request.open("GET", address);
    request.responseType = "document"; // the desk's policy lets no script read a text as a page
    request.onloadend = () => done(request.response);
    request.send();
  });
  const isPage = ({ origin, pathname }) => {
    const leadsOut = /sign-|blank|\.csv|\.md|\/sealed|preview|next/;
    return origin === location.origin && /^\/(desk|edit)(\/|$)/.test(pathname) && !leadsOut.test(pathname);
  };

  // Return the addresses of the pages that have each form. Of a page that stands for many, only some are looked at.
  async function crawl(start, most) {
    const found = {}, seen = new Map(), waiting = [start];
    while (waiting.length) {
      const address = waiting.shift(), list = /[?&](burst)=/.exec(address)?.[1] ?? "";
      const kind = shape(address) + list, times = seen.get(kind) ?? new Set();
      if (times.has(address) || times.size >= (kind.includes("reference") ? most : 8)) continue;
      seen.set(kind, times.add(address));
      const page = await get(address);
      if (!page) continue;
      for (const { key } of formsOf(page, address)) (found[key] ??= new Set()).add(address);
      for (const link of page.querySelectorAll("a[href]")) {
        const to = new URL(link.getAttribute("href"), new URL(address, location.href));
        if (isPage(to)) waiting.push(to.pathname + to.search);
      }
    }
    return Object.fromEntries(Object.entries(found).map(([key, pages]) => [key, [...pages]]));
  }

  const choose = (field) => field.value || (field.selectedIndex = field.options.length - 1);
  function fill(form, reference) {
    for (const each of form.elements) {
      if (each.matches("select")) choose(each);
      else if (each.matches("[type=radio]")) {
        if (!form.querySelector(`[name="${each.name}"]:checked`)) each.checked = true;
      }
      else if (each.matches("[type=checkbox][required], [type=checkbox][name=seen]")) each.checked = true;
      else if (each.value || each.matches("[type=hidden], [type=file], button")) continue;
      else if (each.matches("[name=reference]")) each.value = reference;
      else if (each.matches("[name=language]")) each.value = "Polish";
      else if (each.matches("[type=date]")) each.value = each.max || each.min || "2026-12-24";
      else if (each.matches("[type=time]")) each.value = "00:01";
      else if (each.matches("[type=number]")) each.value = each.min || "1";
      else if (each.matches("input, textarea")) each.value = "Made-up words";
    }
  }

  // Press the first button of that key. Return the address it sends to, or null if there is none.
  function press(key, reference) {
    const found = formsOf(document, location.href).find((each) => each.key === key && !each.button.disabled);
    if (!found) return null;
    const { button, address } = found;
    fill(button.form, reference);
    for (let part = button.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
    button.click();
    return [button.form.method.toUpperCase(), address];
  }

  return { crawl, press, keys: () => formsOf(document, location.href).map(({ key }) => key) };
})();
"""
ENDS_THE_SESSION = re.compile(r"/desk/sign-out")
ONLY_AT_FIRST = re.compile(r"/(move|end|return|numbers/{item})$| act=up$")
"""Forms for what another form may take away: pressed first where they are seen."""
ENDS_A_DRAFT = re.compile(r"/(publication|removal|leaving|offer|plan|withdrawal)$")
BY_SCRIPT = re.compile(r"/desk/find|/hand-over$|/export$|/person-file/{number}$|/copies$|/people/key$")
"""What the script of the desk may answer itself, without sending the form as it is: it seals, signs or searches."""


@dataclass
class Sweep:
    """Presses forms as one person, with the team's key held if there is a file of it."""

    page: Page
    service: FastAPI
    role: Role
    reference: str
    key_file: Path | None
    pressed: dict[str, str] = field(default_factory=dict)
    faults: dict[str, str] = field(default_factory=dict)
    answers: list[Response] = field(default_factory=list)
    seen: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.page.add_init_script(SWEEP)
        self.page.on("response", lambda answer: self.answers.append(answer))  # noqa: PLW0108  # a builtin is refused
        self.page.on("dialog", lambda dialog: dialog.accept())

    def sign_in(self) -> None:
        token = session_of(self.service, WHO[self.role], self.role)
        cookie = {"name": "desk", "value": token, "domain": "localhost", "path": "/"}
        self.page.context.add_cookies([{**cookie, "sameSite": "Strict"}])  # type: ignore[typeddict-item]  # any text

    def holds_key(self) -> bool:
        return bool(self.page.locator("[data-lock].unlocked").count())

    def open(self, address: str) -> None:
        """Open a page. With the key held, by a link: any other way forgets the key."""
        if self.key_file is None:
            self.page.goto(address)
            return
        if not self.holds_key():
            self.page.goto(f"/desk/concerns/{self.reference}")
            unlock(self.page, self.key_file)
            expect(self.page.locator("[data-lock].unlocked")).to_be_attached()
        self.answers.clear()
        self.page.evaluate(FOLLOW, address)
        wait_until(lambda: self.shows_answer("GET", address))

    def press_all(self) -> None:
        """Press each kind of form once, from the first page on. The second time finds what the first one made."""
        self.sign_in()
        for _ in range(2):
            self.page.goto(STARTS[self.role])
            found = self.page.evaluate("([start, most]) => sweep.crawl(start, most)", [STARTS[self.role], MOST])
            self.seen |= set(found)
            for key in sorted(set(found) - set(self.pressed), key=rank):
                for address in found[key][:MOST]:
                    if key not in self.pressed:
                        self.open(address)
                        self.press(key)
        for key in self.seen - set(self.pressed):
            self.faults[key] = f"never pressed on {found.get(key, ['the answer to a form'])[:3]}"

    def press(self, key: str) -> None:
        """Press that form of the page in view, see its answer, and press the forms of the answer."""
        held, before = self.holds_key(), self.page.locator("body").inner_text()
        for each in self.page.locator("form input[type=file][name]").all():
            each.set_input_files(FILE)  # type: ignore[arg-type]  # the content of a file
        self.answers.clear()
        told = self.page.evaluate("([key, reference]) => sweep.press(key, reference)", [key, self.reference])
        if told is None:
            return
        method, address = told
        try:
            wait_until(lambda: self.shows_answer(method, address) or (BY_SCRIPT.search(key) and self.differs(before)))
        except AssertionError:
            self.faults[key] = f"no answer is shown: {self.sent(method, address)}"
        self.pressed[key] = f"{self.sent(method, address)} {self.page.title()}"
        if DID_NOT_TAKE_IT in self.page.locator("main").inner_text():
            self.faults[key] = DID_NOT_TAKE_IT
        if ENDS_THE_SESSION.search(key) or self.page.title().startswith("Sign in"):
            self.sign_in()
            self.page.goto(STARTS[self.role])
        elif held and not self.holds_key():
            self.faults[key] = "the key was forgotten"
        else:
            self.press_further()

    def press_further(self) -> None:
        """Press the forms of an answer that were never pressed: a question before an act is nowhere else."""
        for key in sorted(self.page.evaluate("() => sweep.keys()"), key=rank):
            comes_later = key in self.seen and ENDS_A_DRAFT.search(key)
            self.seen.add(key)
            if key not in self.pressed and not comes_later and not ENDS_THE_SESSION.search(key):
                self.press(key)

    def sent(self, method: str, address: str) -> list[int]:
        return [each.status for each in self.answers if begun_as(each) == (method, address)]

    def shows_answer(self, method: str, address: str) -> bool:
        """Whether the page is the one that the service sent, by its title and heading; or a file was sent."""
        with suppress(PlaywrightError):  # the page is just being replaced
            shown = [text_of(markup) for markup in self.page.evaluate(TITLES)]
            for answer in self.answers:
                if begun_as(answer) != (method, httpx.URL(address).path) or 300 <= answer.status < 400:
                    continue
                if shown[0].startswith("Sign in") and answer.url == self.page.url:
                    return True  # the text of the answer went with the page that asked for it
                if "attachment" in answer.headers.get("content-disposition", ""):
                    return True
                sent = [re.search(rf"<{tag}\b[^>]*>(.*?)</{tag}>", answer.text(), re.DOTALL) for tag in ("title", "h1")]
                if shown == [text_of(found[1]) if found else "" for found in sent]:
                    return True
        return False

    def differs(self, before: str) -> bool:
        return self.page.locator("body").inner_text() != before


def rank(key: str) -> tuple[bool, bool, bool, str]:
    """Sort what takes the other forms away to the end."""
    ends = bool(ENDS_THE_SESSION.search(key)), bool(ENDS_A_DRAFT.search(key))
    return *ends, not ONLY_AT_FIRST.search(key), key


def begun_as(answer: Response) -> tuple[str, str]:
    """Return the method and path of the request that led to the answer, before any redirect."""
    request = answer.request
    while request.redirected_from:
        request = request.redirected_from
    return request.method, httpx.URL(request.url).path


def forms_unpressed(sweep: Sweep, area: str) -> set[str]:
    """Return the paths to which forms of that area send, and to which no form that was pressed sends."""
    paths = [
        route.path or ""
        for route in iter_route_contexts(sweep.service.routes)
        if (route.path or "").startswith(f"{area}/") and "POST" in (route.methods or ())
    ]
    sent = [PLACE.sub("X", key.split(" ")[1]) for key in sweep.pressed if key.startswith("post ")]
    return {
        path
        for path in set(paths) - LEFT_OUT[area]
        if not any(re.fullmatch(PLACE.sub("[^/]+", path), each) for each in sent)
    }


def text_of(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", markup)).split())


def fill_desk(service: FastAPI, http: Any) -> str:
    """Make concerns of every kind, and people. Return the reference of a concern that nothing is done to."""
    desk = desk_of(service, http)
    receipts = [raised(http) for _ in range(3 * CONCERNS)]
    for number, receipt in enumerate(receipts[CONCERNS:]):
        assert desk.act(receipt["reference"], "acknowledgement").is_success
        if number % 3 == 0:
            assert add(http, receipt, "Alex Example came home.").is_success
    for receipt in receipts[-CONCERNS // 2 :]:
        if desk.act(receipt["reference"], "outcome", outcome="early_help").is_success:
            desk.act(receipt["reference"], "hold", held=True)
    raised(http, concern=FULL_EXAMPLE["concern"] | {"about_council_staff": "yes"})
    with httpx.Client(base_url=http.base_url, trust_env=False, timeout=60, headers=A_SCHOOL) as school:
        for _ in range(3):
            raised(school)
    handed = {"recipient": NEIGHBOUR, "body": BODY, "reason": "The child lives there.", "package_sha256": "0" * 64}
    assert desk.act(receipts[0]["reference"], "hand-over", **handed).is_success
    for name in (JO, SAM):
        for number in range(3):
            recipient = str(pyrage.x25519.Identity.generate().to_public())
            store_passkey(service, invited(service, name), f"{name} {number}".encode(), recipient=recipient)
    reference: str = raised(http)["reference"]
    return reference


def fill_drafts(service: FastAPI, http: Any) -> str:
    """Make drafts that another person wrote: one with a link and a plan, and a translation of a former edition."""
    for number, guide in enumerate(GUIDES):
        writer = writer_of(service, http, f"writer-{number}", guide=guide, person="Ann Example")
        writer.saved(whole_draft(title=f"Made up {number}"))
    context = context_of_service(service)
    own, agreed = (DraftAct(PLANNED, f"the desk/{name}", context.clock()) for name in ("Ann Example", "Robin Example"))
    context.writer.run(make_draft_link, own, days=LINK_DAYS[0])
    context.writer.run(offer_draft, context.reference_data, own, note="")
    context.writer.run(
        schedule_draft,
        context.reference_data,
        agreed,
        publish_at=context.clock() + dt.timedelta(days=1),
        follows=None,
        two_people=True,
    )
    with Session(context.engine) as session:
        words = begin_rendition(get_current(session, guide=SEED_GUIDE), "cy", RenditionForm.TRANSLATION)
    translated = DraftAct(SEED_GUIDE, "the desk/Ann Example", context.clock(), "cy")
    context.writer.run(write_guide_draft, translated, lambda _: words)
    publish_next(service, change_note="A made-up second edition.")
    return ""


@contextmanager
def sweeping(browser: Browser, folder: Path, role: Role, kind: str) -> Iterator[Sweep]:
    """Serve a desk of that kind, with something for each form."""
    identity = folder / "team.txt"
    recipient = create_identity(identity, at=A_TUESDAY)
    keys = {} if kind == "reads" else {"seal_to": (recipient,)}
    many = {"trusted_proxies": ("127.0.0.1",), "limit_unmarked": "1/day"}
    service = a_service(data_dir=folder / "data", hand_over_bodies={BODY: NEIGHBOUR}, **many, **keys)
    with run_server(service) as address, httpx.Client(base_url=address, trust_env=False, timeout=60) as http:
        context = browser.new_context(base_url=address.replace("127.0.0.1", "localhost"))
        context.set_default_timeout(30_000)
        reference = (fill_desk if role is Role.LEAD else fill_drafts)(service, http)
        yield Sweep(context.new_page(), service, role, reference, identity if kind == "key held" else None)
        context.close()


def test_a_lead_who_holds_the_key_sees_the_link_of_an_invitation_once(browser: Browser, served: Served) -> None:
    with httpx.Client(base_url=served.url, trust_env=False, timeout=30) as http:
        reference = raised(http)["reference"]
    context = browser.new_context(base_url=served.url)
    context.set_default_timeout(30_000)
    sweep = Sweep(context.new_page(), served.service, Role.LEAD, reference, served.identity)
    page = sweep.page
    sweep.sign_in()
    sweep.open("/desk/people")
    page.get_by_label("Name, as the audit log shows it").fill("Robin Example")
    page.get_by_label("Worker: reads concerns and acts on them").check()
    page.get_by_role("button", name="Make the link").click()

    expect(page.get_by_role("heading", name="Invitation for Robin Example")).to_be_visible()
    expect(page.get_by_role("button", name="Copy the link")).to_be_visible()
    assert "/desk/invitation#" in page.get_by_label("Link").input_value()
    assert sweep.holds_key()
    made = [each for each in acts_of_people(served.service) if "Robin Example" in str(each)]
    assert [act for act, *_ in made] == ["invited"]
    sweep.open("/desk/key")
    expect(page.get_by_role("heading", name="Your key and passkeys")).to_be_visible()
    assert sweep.holds_key()
    context.close()


@pytest.mark.nightly
@pytest.mark.parametrize("kind", ["reads", "key held", "key not held"])
def test_every_form_of_the_desk_shows_its_answer(browser: Browser, tmp_path: Path, kind: str) -> None:
    need_script()

    with sweeping(browser, tmp_path, Role.LEAD, kind) as sweep:
        sweep.press_all()

    assert sweep.faults == {}
    assert forms_unpressed(sweep, "/desk") == set()


@pytest.mark.nightly
def test_every_form_of_the_editors_shows_its_answer(browser: Browser, tmp_path: Path) -> None:
    """No key can be held there: the pages of the editors do not have the script of the desk."""
    with sweeping(browser, tmp_path, Role.PUBLISHER, "reads") as sweep:
        sweep.press_all()

    assert sweep.faults == {}
    assert forms_unpressed(sweep, "/edit") == set()
