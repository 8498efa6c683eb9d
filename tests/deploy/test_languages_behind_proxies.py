"""Mixed requests in three languages through nginx and Varnish: none answered in another language, or behind unmarked.

`MIXED_REQUESTS=10000` makes it long.
"""

import os
import random
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import httpx
import pytest

from app.models.access.clients import Scope
from tests.support.live import LiveServer
from tests.support.proxies import BEHIND_A_PROXY, HOST, nginx, varnish
from tests.support.publishing import GUIDE, an_edition
from tests.support.renditions import RENDITIONS, seed_rendition

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.any_database]

MIXED_REQUESTS = int(os.environ.get("MIXED_REQUESTS", "600"))
THREADS = 8
PAGE = "/guides/child-sexual-exploitation"
LANGUAGES = ("en-GB", "cy", "en-GB-simple")
HEADERS = {
    "en-GB": ("en-GB,en;q=0.9", "*", "", "en-US, cy;q=0.1"),
    "cy": ("cy", "cy-GB, en;q=0.8", "fr, cy;q=0.9, en;q=0.1"),
    "en-GB-simple": ("en-GB-simple", "en-GB-simple, cy;q=0.5"),
}
BEHIND_ON_PAGES = ("The guide has changed since", "Mae’r canllaw wedi newid")


class MixedRequest(NamedTuple):
    """A request, and the language in which it must be answered."""

    path: str
    headers: dict[str, str]
    language: str


class Site(NamedTuple):
    """The proxies and the node behind them."""

    client: httpx.Client
    node: LiveServer


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Run nginx before Varnish before a node."""
    folder = tmp_path_factory.mktemp("languages")
    (folder / "export").mkdir()
    with (
        LiveServer(folder / "data", **BEHIND_A_PROXY) as node,
        varnish(folder / "varnish", node) as cache,
        nginx(folder / "nginx", (cache, cache), folder / "export", rate="10000r/s") as client,
    ):
        yield Site(client, node)


def word_in(language: str) -> str:
    """The words of an indicator in that language."""
    if language == "en-GB":
        return an_edition().indicators[1].text
    content: Any = seed_rendition(language)
    found: str = content.indicators[1].text
    return found


def requests_to_send(random_: random.Random, count: int) -> list[MixedRequest]:
    """Return so many requests: by path and by header, for data, pages, Markdown and CSV, with gzip and without."""
    wanted = []
    for _ in range(count):
        language = random_.choice(LANGUAGES)
        headers = {"Accept-Encoding": random_.choice(("gzip", "identity"))}
        by_path = {"en-GB": f"{GUIDE}/editions/1"}.get(language, f"{RENDITIONS}/{language}{random_.choice(('', '/1'))}")
        page = {"en-GB": PAGE, "cy": f"/cy{PAGE}/renditions/cy"}.get(language, f"{PAGE}/renditions/{language}")
        markdown = {"en-GB": f"{GUIDE}.md"}.get(language, f"{RENDITIONS}/{language}.md")
        csv = f"{GUIDE if language == 'en-GB' else f'{RENDITIONS}/{language}'}/indicators.csv"
        path = random_.choice((GUIDE, GUIDE, by_path, page, markdown, csv))
        preferred = language if path == GUIDE else random_.choice(LANGUAGES)  # which a path of its own ignores
        headers["Accept-Language"] = random_.choice(HEADERS[preferred])
        if path == GUIDE:
            headers["Accept"] = random_.choice(("application/json", "*/*", "text/markdown"))
        if headers.get("Accept") == "text/markdown":
            language = "en-GB"  # by this header it is the guide's own words in whatever language is preferred
        wanted.append(MixedRequest(path, headers, language))
    return wanted


def fault_of(answer: httpx.Response, wanted: MixedRequest, current: int) -> str | None:
    """Return what is wrong with the answer to a request that was sent when that edition was current."""
    if answer.status_code != 200:
        return f"status {answer.status_code}"
    if word_in(wanted.language) not in answer.text.replace("&#39;", "'").replace("&amp;", "&").replace("\\", ""):
        return "other words"
    if wanted.path == GUIDE and answer.headers["content-language"] != wanted.language:
        return f"content-language {answer.headers['content-language']}"
    if answer.headers["content-type"].startswith("text/"):
        marked = any(sentence in answer.text for sentence in BEHIND_ON_PAGES)
        return "behind unmarked" if wanted.language != "en-GB" and current > 1 and not marked else None
    facts = answer.json().get("rendition")
    found = facts["language"] if facts else "en-GB"
    if found != wanted.language:
        return f"language {found}"
    return "behind unmarked" if facts and facts["of"]["edition"] < current and not facts["behind"] else None


def send_all(site: Site, wanted: list[MixedRequest], current: int) -> tuple[list[str], Counter[str]]:
    """Return every fault, and how the caches answered."""

    def send(each: MixedRequest) -> tuple[str | None, str]:
        answer = site.client.get(each.path, headers=each.headers)
        fault = fault_of(answer, each, current)
        return (f"{each.path} {each.headers}: {fault}" if fault else None), answer.headers.get("x-cache", "none")

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(send, wanted))
    return [fault for fault, _ in answers if fault], Counter(cache for _, cache in answers)


def test_no_answer_is_in_another_language_or_behind_without_its_mark(site: Site) -> None:
    key = {"Authorization": f"Bearer {site.node.new_key(Scope.PUBLISH)}", "Host": HOST}
    wanted = requests_to_send(random.Random(18), MIXED_REQUESTS)  # noqa: S311  # the same requests in each run
    half = len(wanted) // 2

    media_types = {each.path.rpartition(".")[2] for each in wanted} | {
        each.headers.get("Accept", "") for each in wanted
    }
    faults, caches = send_all(site, wanted[:half], 1)
    with site.node.client() as publisher:
        etag = publisher.get(GUIDE, headers={"Host": HOST}).headers["etag"]
        content = an_edition(change_note="A second edition.").model_dump(mode="json")
        published = publisher.post(f"{GUIDE}/editions", json=content, headers=key | {"If-Match": etag})
    more_faults, more_caches = send_all(site, wanted[half:], 2)

    assert published.status_code == 201
    assert {"md", "csv", "text/markdown"} <= media_types
    assert faults + more_faults == []
    assert caches["HIT"] > 0
    assert more_caches["HIT"] > 0
