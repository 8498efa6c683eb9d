"""Pictures of where each sentence stands: the pages in every state that tests know, in Chromium, as on a phone."""

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, Route

from app.main import GuidanceApp
from app.pages.languages import Language
from speakers.sheet import Sentence
from tests.pages.test_languages import PAGES
from tests.pages.test_short_pages import closed, states
from tests.support.clock import A_TUESDAY
from tests.support.desk import desk_of
from tests.support.form_answers import REQUIRED_ANSWERS
from tests.support.service import a_service
from tests.support.threaded import run_server
from tests.support.translations import PLACEHOLDER, TAG

WIDTH, HEIGHT, AROUND = 360, 740, 60
AT_NIGHT = A_TUESDAY + dt.timedelta(hours=14)
SHOWN = "/shown-to-a-speaker"
LEAST = 3
"""Letters of a part of a sentence that is looked for. A shorter sentence must stand by itself."""
FIND = (Path(__file__).with_name("find.js")).read_text(encoding="utf-8")


def parts_of(translation: str) -> list[str]:
    """Return the sentence without what the page puts into it."""
    found = [" ".join(each.split()) for each in re.split(f"{PLACEHOLDER.pattern}|{TAG.pattern}", translation)]
    return [each for each in found if len(each) >= LEAST] or [each for each in found if each]


def take_pictures(browser: Browser, language: Language, sentences: Sequence[Sentence]) -> dict[str, bytes]:
    """Return a JPEG for each English sentence that some page shows."""
    pictures: dict[str, bytes] = {}
    with TemporaryDirectory() as folder:
        service = a_service(data_dir=Path(folder) / "data", duty_hours="Monday to Friday, 8:30am to 5pm")
        with run_server(service) as url, httpx.Client(base_url=url, headers={"Accept": "text/html"}) as client:
            page = browser.new_page(base_url=url, viewport={"width": WIDTH, "height": HEIGHT})
            for html in dict.fromkeys(_pages(service, client, language)):
                sought = [each for each in sentences if each.english not in pictures]
                if not sought:
                    break
                _show(page, html)
                pictures |= dict(_found_on(page, sought))
    return pictures


def _pages(service: GuidanceApp, client: httpx.Client, language: Language) -> Iterator[str]:
    if not language.is_whole:
        desk = desk_of(service, client)
        yield from states(service, desk, language.prefix)
        yield from closed(service, desk, language.prefix)
        for path in ("", "/concerns"):
            yield client.post(f"{language.prefix}{path}", data={"do": "send"}).text
        service.state.context.clock.time = AT_NIGHT
        yield client.get(language.prefix).text
        yield client.post(language.prefix, data={"immediate_danger": "not_sure", "do": "send"}).text
        return
    home = language.prefix
    for path in PAGES:
        yield client.get(f"{home}{path}").text
    for path, answers in (("/raise-a-concern", REQUIRED_ANSWERS), ("/worried-about-yourself", {})):
        for do in ("check", "send", "save"):
            yield client.post(f"{home}{path}", data={**answers, "do": do}).text
        yield client.post(f"{home}{path}", data={"immediate_danger": "yes", "do": "now"}).text
    for words in ("missing", "0", ""):
        yield client.post(f"{home}/search", data={"q": words}).text
    yield client.post(f"{home}/concerns", data={"reference": "x", "code": "x"}).text


def _show(page: Page, html: str) -> None:
    def answer(route: Route) -> None:
        route.fulfill(status=200, content_type="text/html; charset=utf-8", body=html)

    page.unroute_all()
    page.route(f"**{SHOWN}", answer)
    page.goto(SHOWN)


def _found_on(page: Page, sought: Sequence[Sentence]) -> Iterator[tuple[str, bytes]]:
    places: list[dict[str, Any] | None] = page.evaluate(FIND, [parts_of(each.now) for each in sought])
    for sentence, place in zip(sought, places, strict=True):
        if place is None:
            continue
        page.evaluate("place => window.frameIn(place)", place)
        top = max(0, place["y"] - AROUND)
        clip = {"x": 0, "y": top, "width": WIDTH, "height": min(place["height"] + 2 * AROUND, HEIGHT)}
        picture = page.screenshot(type="jpeg", quality=60, full_page=True, clip=clip)  # type: ignore[arg-type]  # a place
        yield sentence.english, picture
