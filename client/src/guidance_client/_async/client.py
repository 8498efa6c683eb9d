"""The client: one method for each request that callers make."""

from datetime import UTC, datetime
from types import TracebackType
from typing import Any, cast

import httpx

from guidance_client import models
from guidance_client._async.transport import NOT_MODIFIED, AsyncTransport
from guidance_client.edition_cache import EditionCache
from guidance_client.errors import ProblemError, ServiceUnreachable
from guidance_client.readings import Reading
from guidance_client.retries import RetryPolicy

TIMEOUT_SECONDS = 15.0
SERVER_ERRORS = 500
CONCERNS = "/v1/concerns"
GUIDES = "/v1/guides"


class AsyncGuidanceClient:
    """A client of the service at `address`. Use it in a `with` block, in one event loop or many threads.

    `key` is a client key or an access token. Reads of guidance and anonymous concerns need no key. If `cache` is given
    and the service cannot be reached, reads of guidance return the cached copy, marked as stale. `timeout` is in
    seconds. `transport` replaces the network, for example in tests.
    """

    def __init__(
        self,
        address: str,
        *,
        key: str | None = None,
        cache: EditionCache | None = None,
        retries: RetryPolicy | None = None,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=address, timeout=timeout, transport=transport)
        self._transport = AsyncTransport(self._http, retries or RetryPolicy())
        self._cache = cache
        self._key = key

    async def __aenter__(self) -> "AsyncGuidanceClient":
        """Return the client."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()

    # Guidance

    async def guides(self) -> Reading[models.GuidesResponse]:
        """Return the guides with their current editions, in order of name: the first 200."""
        return await self._read(f"{GUIDES}?limit=200")

    async def guide(self, guide: str) -> Reading[models.EditionResponse]:
        """Return the current edition of the guide."""
        return await self._read(f"{GUIDES}/{guide}")

    async def edition(self, guide: str, number: int) -> Reading[models.EditionResponse]:
        """Return edition `number` of the guide. Its text never changes."""
        return await self._read(f"{GUIDES}/{guide}/editions/{number}")

    async def editions(self, guide: str) -> Reading[models.EditionsResponse]:
        """Return the editions of the guide, most recent first: the first page of them."""
        return await self._read(f"{GUIDES}/{guide}/editions")

    async def renditions(self, guide: str, *, edition: int | None = None) -> Reading[models.RenditionsResponse]:
        """Return the renditions of the guide in other languages and formats.

        If `edition` is given, return only the renditions of that edition.
        """
        of = "" if edition is None else f"/editions/{edition}"
        return await self._read(f"{GUIDES}/{guide}{of}/renditions")

    async def rendition(self, guide: str, language: str) -> Reading[models.RenditionResponse]:
        """Return the current rendition in `language`, such as `cy`. Show its `notices` with the text."""
        return await self._read(f"{GUIDES}/{guide}/renditions/{language}")

    async def definitions(self, guide: str) -> Reading[models.DefinitionsResponse]:
        """Return the definitions of the current edition."""
        return await self._read(f"{GUIDES}/{guide}/definitions")

    async def factors(self, guide: str) -> Reading[models.FactorsResponse]:
        """Return the vulnerability factors of the current edition, with the cautions."""
        return await self._read(f"{GUIDES}/{guide}/factors")

    async def indicators(self, guide: str) -> Reading[models.IndicatorsResponse]:
        """Return the indicators of the current edition, with the cautions."""
        return await self._read(f"{GUIDES}/{guide}/indicators")

    async def linked_risks(self, guide: str) -> Reading[models.LinkedRisksResponse]:
        """Return the linked risks of the current edition."""
        return await self._read(f"{GUIDES}/{guide}/linked-risks")

    async def responsibilities(self, guide: str) -> Reading[models.ResponsibilitiesResponse]:
        """Return the responsibilities of the current edition."""
        return await self._read(f"{GUIDES}/{guide}/responsibilities")

    async def contacts(self, guide: str) -> Reading[models.ContactsResponse]:
        """Return the contacts of the current edition."""
        return await self._read(f"{GUIDES}/{guide}/contacts")

    async def changes(self, guide: str, number: int, *, since: int) -> Reading[models.ChangesResponse]:
        """Return the changes in edition `number` of the guide since the earlier edition `since`."""
        return await self._read(f"{GUIDES}/{guide}/editions/{number}/changes?since={since}")

    async def signposts(self) -> Reading[models.SignpostsResponse]:
        """Return 999, and the national and local services to call."""
        return await self._read("/v1/signposts")

    async def receipt_keys(self) -> dict[str, Any]:
        """Return the public keys that receipts are signed with. Store them to check receipts offline."""
        reading: Reading[dict[str, Any]] = await self._read("/.well-known/jwks.json")
        return reading.content

    async def search(self, words: str, *, limit: int = 20) -> models.SearchResponse:
        """Return the items of all guides that contain every word in `words`. Never send an account of a child."""
        response = await self._transport.get("/v1/search", query={"q": words, "limit": limit})
        return cast(models.SearchResponse, response.json())

    # Concerns

    async def check_concern(self, concern: models.Concern) -> models.CheckResponse:
        """Return the response to a valid concern. The service stores nothing.

        Raise `ConcernRefused` with every validation error if the concern is not valid.
        """
        response = await self._transport.post(f"{CONCERNS}/check", concern, token=self._key)
        return cast(models.CheckResponse, response.json())

    async def raise_concern(self, concern: models.Concern, *, idempotency_key: str | None = None) -> models.Receipt:
        """Send the concern, and return its receipt once the service has stored it on disk.

        The client repeats a failed request with the same idempotency key, so the service stores only one concern. After
        `ServiceUnreachable` the concern may have arrived: call again with the `idempotency_key` of the error.
        """
        response = await self._transport.post(CONCERNS, concern, idempotency_key=idempotency_key, token=self._key)
        return cast(models.Receipt, response.json())

    async def concern_status(self, reference: str, status_token: str) -> models.ConcernStatus:
        """Return the status of the concern."""
        response = await self._transport.get(f"{CONCERNS}/{reference}", token=status_token)
        return cast(models.ConcernStatus, response.json())

    async def add_to_concern(
        self, reference: str, status_token: str, addition: models.Addition, *, idempotency_key: str | None = None
    ) -> models.AdditionReceipt:
        """Send an addition to the concern, and return the receipt of the addition."""
        response = await self._transport.post(
            f"{CONCERNS}/{reference}/additions", addition, idempotency_key=idempotency_key, token=status_token
        )
        return cast(models.AdditionReceipt, response.json())

    # The desk and its programs

    async def events(self, *, after: str | None = None, wait: int | None = None) -> models.EventsResponse:
        """Return a page of the events after the cursor `after`, with the cursor of the next page.

        If `after` is None, the page starts after the last event that this client has confirmed. If there is no event,
        the service waits up to `wait` seconds for one. Needs the scope `events:read`.
        """
        response = await self._transport.get("/v1/events", query={"after": after, "wait": wait}, token=self._key)
        return cast(models.EventsResponse, response.json())

    async def sealed_concern(self, reference: str) -> bytes:
        """Return the sealed file of the concern, for `guidance_client.sealed`. Needs the scope `concerns:read`."""
        response = await self._transport.get(
            f"/v1/desk/concerns/{reference}", headers={"Accept": "application/age"}, token=self._key
        )
        return response.content

    # Reads

    async def _read(self, path: str) -> Reading[Any]:
        """Return the response at `path` or, if the service fails, the cached response.

        The service fails if it cannot be reached, or responds with a server error. Without a cached response, raise the
        error. A new response is stored in the cache.
        """
        address = str(self._http.base_url.join(path))
        cached = self._cache.find(address) if self._cache else None
        try:
            response = await self._transport.get(path, headers={"If-None-Match": cached.etag} if cached else None)
        except (ServiceUnreachable, ProblemError) as failure:
            if cached is None or (isinstance(failure, ProblemError) and failure.status < SERVER_ERRORS):
                raise
            return Reading(cached.content, cached.confirmed_at, is_stale=True)
        content = cached.content if cached and response.status_code == NOT_MODIFIED else response.json()
        etag = response.headers.get("etag", "")
        if self._cache and etag:
            return Reading(content, self._cache.store(address, etag, content))
        return Reading(content, datetime.now(UTC))
