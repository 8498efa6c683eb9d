"""The package for front ends, built and packed as for a release: two lines in a page, and its client."""

import gzip
import json
import re
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from playwright.sync_api import Browser, FrameLocator, Page, Route, expect

from tests.support.browsing import (
    NEUTRAL_PAGE,
    browser_that_keeps_left_pages,
    page_faults,
    reach,
    serve_neutral_page,
)
from tests.support.command import ROOT
from tests.support.live import LiveServer
from tests.support.node import LEFT_OUT, installed_copy, need_program, run_node
from tests.support.origins import serve_folder
from tests.support.waiting import wait_until

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

LARGEST_BYTES = 15_000
NARRATIVE = "Alex Example is often at the bus station late at night."
WORDS = "[name='concern.narrative']"
POLICY = (
    "default-src 'none'; script-src 'self'; connect-src {service}; base-uri 'none'; form-action 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
PAGE = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="{policy}"><title>A page of an invented council</title></head>
<body><main><h1>Keeping children safe</h1>
<script type="module" src="package/dist/components.js"></script>
<council-guide service="{service}" guide="child-sexual-exploitation">In immediate danger, call 999.</council-guide>
<raise-a-concern service="{service}" guide="child-sexual-exploitation">In immediate danger, call 999.</raise-a-concern>
</main></body></html>
"""
FRAME = """<!doctype html>
<html lang="en-GB">
<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy"
  content="default-src 'none'; frame-src {service}">
<title>A page of an invented council</title></head>
<body>{frame}</body></html>
"""
LISTENER = """
window.heard = "";
for (const name of ["keydown", "input", "change"]) {
  window.addEventListener(name, (event) => {
    window.heard += ` ${event.data} ${event.key} ${event.composedPath()[0].value}`;
  }, { capture: true });
}
"""
"""What a tag manager or a recorder of sessions does in a page of the website."""
SHOWN = """it => it.shadowRoot.textContent + [...it.shadowRoot.querySelectorAll("input, select, textarea")]
  .map(({ checked, type, value }) => (type === "radio" ? (checked ? value : "") : value)).join("")"""
"""The text of the component, and what is typed and chosen in it."""
CALLS = """async ([service, narrative]) => {
  const { Guidance, NotGenuine, checkDigest, checkReceipt } = await import("/package/dist/guidance.js");
  const guidance = new Guidance(service);
  const concern = {
    immediate_danger: "no", reporter: { kind: "professional" }, children: [{}], concern: { narrative },
  };
  const forged = async (check) => {
    try { await check(); return false; } catch (error) { return error instanceof NotGenuine; }
  };
  const guide = await guidance.guide("child-sexual-exploitation");
  await checkDigest(guide);
  const receipt = await guidance.raise(concern, crypto.randomUUID());
  const keys = await guidance.keys();
  const claims = await checkReceipt(receipt, keys, concern);
  const status = await guidance.follow(receipt.reference, receipt.status_token);
  return {
    form: (await guidance.form()).form_version === claims.form_version,
    state: status.state,
    other_words: await forged(() => checkReceipt(receipt, keys, { ...concern, immediate_danger: "yes" })),
    other_time: await forged(() => checkReceipt({ ...receipt, received_at: "2020-01-01T00:00:00Z" }, keys)),
    other_key: await forged(() => checkReceipt(receipt, { keys: [] })),
    other_guide: await forged(() => checkDigest({ ...guide, title: "Another title" })),
  };
}"""
HOW_TO = ROOT / "docs" / "how-to" / "embed-in-a-website.md"
WORDPRESS = """<?php
function add_shortcode($name, $write) {{ echo $write(array('guide' => '"><script>')); }}
function shortcode_atts($defaults, $given) {{ return array_merge($defaults, $given); }}
{shortcode}
"""
"""What the shortcode of the how-to calls of WordPress, as far as it matters."""
PARTS = ("EditionResponse", "ConcernFormResponse", "Receipt", "ConcernStatus", "Problem")
TYPES = """import type * as own from "./guidance.d.ts";
import type {{ components }} from "./schema.d.ts";
type Schemas = components["schemas"];
{checks}
export const sent = (concern: own.Concern): Schemas["Concern"] => concern;
"""


class Site(NamedTuple):
    folder: Path
    origin: str
    service: str


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked: a copy of its folder is built beside the esbuild of the desk's script."""
    folder = tmp_path_factory.mktemp("package")
    installed_copy(ROOT / "desk_script", folder / "desk_script")
    web = shutil.copytree(ROOT / "web_client", folder / "web_client", ignore=LEFT_OUT)
    run_node(web, "node", "build.js")
    name = run_node(web, "npm", "pack", "--silent").strip()
    with tarfile.open(web / name) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package"


@pytest.fixture(scope="module")
def site(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data_dir = tmp_path_factory.mktemp("service") / "data"
    folder = package.parent
    with (
        serve_folder(folder) as origin,
        LiveServer(data_dir, allowed_origins=origin, embedding_origins=origin) as server,
    ):
        page = PAGE.format(policy=POLICY.format(service=server.url), service=server.url)
        (folder / "index.html").write_text(page, encoding="utf-8")
        frame = FRAME.format(service=server.url, frame=snippet("<iframe", server.url))
        (folder / "framed.html").write_text(frame, encoding="utf-8")
        yield Site(folder, origin, server.url)


def snippet(start: str, service: str) -> str:
    """Return the example of the how-to that begins so, for that service."""
    examples = re.findall(r"^ *```html\n(.*?)^ *```$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (found,) = (each for each in examples if each.strip().startswith(start))
    text: str = found.replace("https://guidance.example", service)
    return text


def open_page(browser: Browser, site: Site) -> Page:
    page = browser.new_page()
    page.goto(f"{site.origin}/index.html")
    page.get_by_text("Read this first").wait_for()
    page.locator("raise-a-concern .call li").first.wait_for()
    return page


@pytest.fixture
def page(browser: Browser, site: Site) -> Iterator[Page]:
    page = open_page(browser, site)
    yield page
    page.close()


@pytest.fixture(scope="module", params=["kept in memory", "loaded anew"])
def leaving(request: pytest.FixtureRequest, browser: Browser) -> Iterator[tuple[Browser, bool]]:
    """A browser, and whether it restores a left page from memory."""
    if request.param == "loaded anew":
        yield browser, False
        return
    with browser_that_keeps_left_pages(browser) as keeping:
        yield keeping, True


def leave_and_return(page: Page) -> bool:
    """Go to another website and back. Return whether the page was restored from memory."""
    page.evaluate("window.isStillThere = true")
    page.route(NEUTRAL_PAGE, serve_neutral_page)
    page.goto(NEUTRAL_PAGE)
    page.go_back(wait_until="commit")
    page.locator("raise-a-concern, iframe").first.wait_for()
    return bool(page.evaluate("window.isStillThere === true"))


def shown(page: Page) -> str:
    text: str = page.locator("raise-a-concern").evaluate(SHOWN)
    return text


def fill_by_keyboard(page: Page) -> None:
    """Answer the three questions that need it, and send, by keyboard from the first one."""
    page.get_by_label("No", exact=True).focus()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    page.keyboard.type("Family")
    page.keyboard.press("Tab")
    page.keyboard.type(NARRATIVE)
    for _ in range(3):
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")


def sent(page: Page) -> str:
    """Return the reference, once the page shows it."""
    expect(page.get_by_role("heading", name="We have your concern")).to_be_focused()
    return page.locator("raise-a-concern .code").first.inner_text()


def test_the_package_is_small_and_needs_nothing(package: Path) -> None:
    described = json.loads((package / "package.json").read_text())

    assert [key for key in described if "ependencies" in key] == []
    assert {path.relative_to(package).as_posix() for path in package.rglob("*") if path.is_file()} == {
        *("package.json", "README.md", "LICENSE", "guidance.d.ts", "dist/guidance.js", "dist/components.js")
    }
    assert len(gzip.compress((package / "dist" / "components.js").read_bytes(), 6)) < LARGEST_BYTES


def test_numbers_come_first_with_and_without_the_service(page: Page, site: Site) -> None:
    for name in ("council-guide", "raise-a-concern"):
        first = page.locator(f"{name} a").first
        assert (first.inner_text(), first.get_attribute("href")) == ("999", "tel:999")
        team = page.locator(f"{name} .call li", has_text="01225 396312 (option 1)").first
        assert team.locator("a").inner_text() == "01225 396312"  # what to press is no part of the number

    page.route(f"{site.service}/**", lambda route: route.abort())
    page.reload()
    page.get_by_text("The guide cannot be shown now.").wait_for(timeout=30_000)

    assert page.locator("a[href='tel:999']").count() == 2
    assert page.get_by_role("button", name="Send").is_visible()


def test_a_concern_is_sent_by_keyboard_and_leaves_nothing_behind(page: Page) -> None:
    fill_by_keyboard(page)
    reference = sent(page)

    assert len(reference) == len("4F7K-926W-0X3R")
    assert "?" not in page.url
    assert page.context.storage_state(indexed_db=True) == {"cookies": [], "origins": []}


def test_neither_what_was_typed_nor_the_receipt_comes_back(leaving: tuple[Browser, bool], site: Site) -> None:
    browser, is_kept = leaving
    page = open_page(browser, site)
    empty = shown(page)
    page.get_by_label("Yes", exact=True).check()
    page.get_by_label("Who are you?").select_option("family")
    for name in ("What are you worried about?", "The child’s name", "A number where we can call you"):
        page.get_by_label(name).fill(NARRATIVE)
    was_restored = leave_and_return(page)
    page.locator("raise-a-concern .call li").first.wait_for()
    after_typing = shown(page)
    fill_by_keyboard(page)
    first, code = sent(page), page.locator("raise-a-concern .code").last.inner_text()
    leave_and_return(page)
    page.locator("raise-a-concern .call li").first.wait_for()
    after_sending = shown(page)
    fill_by_keyboard(page)

    assert was_restored is is_kept
    assert after_typing == empty
    assert [each for each in (first, code, NARRATIVE, "We have your concern") if each in after_sending] == []
    expect(page.get_by_role("heading", name="We have your concern")).to_be_focused()
    assert page.locator("raise-a-concern .code").first.inner_text() != first
    page.close()


def test_what_is_taken_out_of_the_page_is_emptied_and_what_is_moved_is_not(page: Page) -> None:
    page.get_by_label("What are you worried about?").fill(NARRATIVE)
    component = page.locator("raise-a-concern")
    component.evaluate("it => document.querySelector('main').prepend(it)")
    moved = shown(page)
    component.evaluate("async it => { it.remove(); await null; document.querySelector('main').append(it); }")

    assert NARRATIVE in moved
    assert NARRATIVE not in shown(page)
    assert page.get_by_role("button", name="Send").is_visible()


def test_a_receipt_that_comes_after_leaving_is_not_shown(page: Page, site: Site) -> None:
    held: list[Route] = []
    page.route("**/v1/concerns", lambda route: held.append(route))  # noqa: PLW0108  # Playwright marks what it is given
    fill_by_keyboard(page)
    expect(page.get_by_role("button", name="Send")).to_have_attribute("aria-disabled", "true")
    page.evaluate("window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))")
    with page.expect_response("**/v1/concerns"):
        held[0].continue_()
    page.evaluate("address => fetch(address).then((answer) => answer.text())", f"{site.service}/v1/concerns/form")

    assert "We have your concern" not in shown(page)
    assert NARRATIVE not in shown(page)


def test_a_child_is_led_to_the_page_with_an_exit(page: Page, site: Site) -> None:
    kinds = page.get_by_label("Who are you?").locator("option").all_inner_texts()
    page.get_by_role("link", name="Use the form for young people").click()

    expect(page.get_by_role("link", name="Exit this page")).to_be_visible()
    assert page.url == f"{site.service}/worried-about-yourself"
    assert [kind for kind in kinds if "The child" in kind or "under 18" in kind] == []


def test_the_code_stays_while_the_status_is_looked_at(page: Page) -> None:
    fill_by_keyboard(page)
    reference = sent(page)
    with page.expect_popup() as opened:
        page.get_by_role("link", name="see what happens and add more").click()

    expect(opened.value.get_by_label("Reference")).to_be_visible()
    assert reference in shown(page)


def frame_of(page: Page, site: Site) -> FrameLocator:
    page.add_init_script(LISTENER)
    page.goto(f"{site.origin}/framed.html")
    return page.frame_locator("iframe")


def all_documents(page: Page) -> str:
    """Return what stands and is typed in the page and its frames: Playwright loses the frames of a restored page."""
    session = page.context.new_cdp_session(page)
    return json.dumps(session.send("DOMSnapshot.captureSnapshot", {"computedStyles": []})["strings"])


def write_in_frame(page: Page) -> None:
    """Write in the frame of the page, on the step after the first one."""
    frame = page.frames[1]
    reach(frame, WORDS).press_sequentially(NARRATIVE)  # type: ignore[arg-type]  # a frame finds as a page does


def test_a_script_of_the_page_reads_the_component_and_not_the_frame(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    page.add_init_script(LISTENER)
    page.goto(f"{site.origin}/index.html")
    page.get_by_label("What are you worried about?").press_sequentially(NARRATIVE)
    of_component = page.evaluate("window.heard")
    frame_of(page, site).get_by_role("heading", name="Tell us about a child").wait_for()
    write_in_frame(page)

    assert NARRATIVE in of_component
    assert page.evaluate("window.heard") == ""
    assert page.evaluate("document.querySelector('iframe').contentDocument") is None
    page.close()


def test_nothing_typed_in_the_frame_comes_back(leaving: tuple[Browser, bool], site: Site) -> None:
    browser, is_kept = leaving
    page = browser.new_page()
    page.on("dialog", lambda dialog: dialog.accept())
    frame_of(page, site).get_by_role("heading", name="Tell us about a child").wait_for()
    write_in_frame(page)
    before = all_documents(page)
    was_restored = leave_and_return(page)
    wait_until(lambda: "Tell us about a child" in all_documents(page) and NARRATIVE not in all_documents(page))

    assert NARRATIVE in before
    assert was_restored is is_kept
    page.close()


def test_the_exit_of_the_frame_leaves_the_website(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    frame = frame_of(page, site)
    exit_url = frame.get_by_role("link", name="Exit this page").get_attribute("href") or ""
    page.route(f"{exit_url}**", serve_neutral_page)
    write_in_frame(page)
    frame.get_by_role("link", name="Exit this page").click()
    page.wait_for_url(f"{exit_url}**")

    page.go_back()
    assert NARRATIVE not in page.content()
    assert [each.url for each in page.frames if site.service in each.url] == []
    page.close()


def test_the_components_work_without_their_style(browser: Browser, site: Site) -> None:
    page = browser.new_page()
    page.add_init_script("CSSStyleSheet.prototype.replaceSync = () => { throw new Error('an old browser'); };")
    page.goto(f"{site.origin}/index.html")
    page.get_by_text("Read this first").wait_for()
    sheets = page.locator("raise-a-concern").evaluate("it => it.shadowRoot.adoptedStyleSheets.length")
    fill_by_keyboard(page)

    assert sent(page)
    assert sheets == 0
    page.close()


def test_mistakes_are_beside_their_fields_and_nothing_typed_is_lost(page: Page) -> None:
    page.get_by_label("What are you worried about?").fill(NARRATIVE)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent yet.")

    assert page.locator("#kind-fault").inner_text()
    assert page.locator("#narrative-fault").inner_text() == ""
    assert page.get_by_label("What are you worried about?").input_value() == NARRATIVE
    expect(page.get_by_label("Yes", exact=True)).to_be_focused()


def test_the_components_have_no_barrier_in_any_state(page: Page) -> None:
    faults = page_faults(page, walks=False)
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_role("alert")).to_contain_text("Nothing was sent yet.")
    faults += page_faults(page, walks=False)
    fill_by_keyboard(page)
    sent(page)

    assert faults + page_faults(page, walks=False) == []


def test_the_client_reads_raises_follows_and_verifies(browser: Browser, site: Site) -> None:
    page = browser.new_context(bypass_csp=True).new_page()
    page.goto(f"{site.origin}/index.html")

    told = page.evaluate(CALLS, [site.service, NARRATIVE])

    assert told.pop("state") == "received"
    assert told == dict.fromkeys(("form", "other_words", "other_time", "other_key", "other_guide"), True)
    page.context.close()


def test_the_shortcode_for_wordpress_writes_the_frame_safely(tmp_path: Path) -> None:
    need_program("php", "php-cli")
    (shortcode,) = re.findall(r"^ *```php\n(.*?)^ *```$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    (tmp_path / "shortcode.php").write_text(WORDPRESS.format(shortcode=shortcode), encoding="utf-8")

    written = run_node(tmp_path, "php", "shortcode.php")

    assert written.startswith('<iframe src="https://guidance.example/raise-a-concern/%22%3E%3Cscript%3E" title=')
    assert "<script" not in written


def test_the_types_are_parts_of_the_document(package: Path, site: Site, tmp_path: Path) -> None:
    checker = installed_copy(ROOT / "examples" / "javascript", tmp_path / "types")
    document = httpx.get(f"{site.service}/openapi.json", timeout=30, trust_env=False)
    (checker / "openapi.json").write_bytes(document.content)
    run_node(checker, "npm", "run", "types")
    shutil.copy(package / "guidance.d.ts", checker)
    checks = "".join(f"export const is{name} = (it: Schemas[{name!r}]): own.{name} => it;\n" for name in PARTS)
    (checker / "check.ts").write_text(TYPES.format(checks=checks))

    strict = ("--strict", "--noEmit", "--skipLibCheck", "false", "--allowImportingTsExtensions", "--lib", "ES2022,DOM")
    run_node(checker, "npx", "tsc", *strict, "--module", "ES2022", "--moduleResolution", "bundler", "check.ts")
