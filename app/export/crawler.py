"""Every public read of the service, found from the index on, along every link.

The service itself is asked, in process. Kept is what it lets a shared cache keep, save its pages, which need the
service behind them.
"""

import re
from collections.abc import Iterator

import httpx
from fastapi import FastAPI
from pydantic import JsonValue

from app.errors import NotExportable

INDEX = "/v1"
FEED = "/v1/feed.json"
ANYWHERE = "http://service"
LONGEST_PAGE = {"limit": 200}
LONGEST_PAGE_OF_A_DIRECTORY = {"per_page": 1000}
SERVER_ERROR = 500

Answers = dict[str, httpx.Response]


async def crawl(app: FastAPI, *, public_url: str) -> Answers:
    """Every answer to be kept, by its path; `public_url` is where the service takes itself to be reached.

    Raises `NotExportable` where the service fails, or where an edition was published or withdrawn meanwhile.
    """
    kept: Answers = {}
    transport = httpx.ASGITransport(app)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url=ANYWHERE, headers={"Accept-Encoding": "identity"}) as client,
    ):
        before = await _read(client, FEED)
        waiting = [INDEX, *_documented(app)]
        seen = set(waiting)
        while waiting:
            path = waiting.pop()
            answer = await _read(client, path)
            if _is_kept(answer):
                kept[path] = answer
                found = set(_leads_to(path, answer, public_url)) - seen
                seen |= found
                waiting += sorted(found)
        after = await _read(client, FEED)
    if before.content != after.content:
        raise NotExportable("An edition was published or withdrawn meanwhile. Export again.")
    return kept


def is_cut_short(answer: httpx.Response) -> bool:
    """Whether it is a page of a list that has more."""
    return _longest_page(answer) is not None


def media_type(answer: httpx.Response) -> str:
    """The media type, without its parameters."""
    told: str = answer.headers.get("content-type", "")
    return told.partition(";")[0]


async def _read(client: httpx.AsyncClient, path: str) -> httpx.Response:
    """The answer at that path; of a list that is longer than a page, its longest page."""
    answer = await client.get(path)
    longest = _longest_page(answer)
    if longest is not None:
        answer = await client.get(path, params=longest)
    if answer.status_code >= SERVER_ERROR:
        raise NotExportable(f"{path} answers {answer.status_code}.")
    return answer


def _documented(app: FastAPI) -> Iterator[str]:
    """The reads that need nothing to be known, whether or not a link leads to them."""
    for path, operations in app.openapi()["paths"].items():
        if "get" in operations and "{" not in path and "security" not in operations["get"]:
            yield path


def _is_kept(answer: httpx.Response) -> bool:
    may_be_kept = "public" in answer.headers.get("cache-control", "")
    return answer.status_code == httpx.codes.OK and may_be_kept and media_type(answer) != "text/html"


def _leads_to(path: str, answer: httpx.Response, public_url: str) -> Iterator[str]:
    """The paths that the answer names, without their queries, and those of its items."""
    named = re.findall("<(/[^>]*)>", answer.headers.get("link", "").replace(f"<{public_url}/", "</"))
    body = _json(answer)
    named += _paths_in(body)
    named += [f"{path}/{id_}" for id_ in _ids_in(body, path.rpartition("/")[2])]
    yield from (each.partition("?")[0] for each in named)


def _paths_in(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str) and value.startswith("/"):
        yield value
    if isinstance(value, dict | list):
        for member in value.values() if isinstance(value, dict) else value:
            yield from _paths_in(member)


def _ids_in(body: JsonValue, name: str) -> Iterator[JsonValue]:
    """The ids of what a list holds: under its own name, or under `contents` in Open Referral."""
    if isinstance(body, dict):
        items = body.get(name.replace("-", "_"), body.get("contents"))
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and "id" in item:
                yield item["id"]


def _longest_page(answer: httpx.Response) -> dict[str, int] | None:
    """The query that asks for the longest page, where the answer is a page of a list that has more."""
    body = _json(answer)
    if isinstance(body, dict):
        if body.get("next_cursor"):
            return LONGEST_PAGE
        if body.get("total_pages", 1) not in (0, 1):
            return LONGEST_PAGE_OF_A_DIRECTORY
    return None


def _json(answer: httpx.Response) -> JsonValue:
    body: JsonValue = answer.json() if media_type(answer) == "application/json" else None
    return body
