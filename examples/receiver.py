"""Receive webhook notices, open each new concern and what is added, and acknowledge both: a start for your own system.

Set RECEIVER_SECRET, GUIDANCE_URL and GUIDANCE_KEY, then run `uvicorn examples.receiver:receiver --port 8911`.
The key needs the scopes concerns:read and concerns:write. The service must hold an identity that opens concerns.
"""

import os
from typing import Any

import httpx
from fastapi import FastAPI, Request, Response
from standardwebhooks import Webhook, WebhookVerificationError

receiver = FastAPI()
seen: set[str] = set()
opened: dict[str, Any] = {}


def _desk() -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=os.environ["GUIDANCE_URL"],
        headers={"Authorization": f"Bearer {os.environ['GUIDANCE_KEY']}", "Accept": "application/json"},
        timeout=10,
        trust_env=False,
    )


@receiver.post("/notices")
async def take_notice(request: Request) -> Response:
    """Check the signature first. Answer 2xx only when the concern is stored here: other answers are tried again."""
    body = await request.body()
    try:
        notice = Webhook(os.environ["RECEIVER_SECRET"]).verify(body, dict(request.headers))
    except (WebhookVerificationError, ValueError):
        return Response(status_code=401)
    message = request.headers["webhook-id"]
    if message in seen:  # a notice may arrive more than once, with the same id
        return Response(status_code=204)
    if notice["type"] in ("concern.received", "concern.added"):
        await _take_over(notice["data"]["links"]["concern"])
    seen.add(message)
    return Response(status_code=204)


async def _take_over(path: str) -> None:
    """Fetch the concern and what was added, store them, and only then acknowledge what was fetched, by its number."""
    async with _desk() as desk:
        concern = (await desk.get(path)).raise_for_status().json()
        additions, following = concern["additions"], concern["links"].get("next")
        while following:
            page = (await desk.get(following)).raise_for_status().json()
            additions += page["additions"]
            following = page["next_cursor"] and f"{path}/additions?cursor={page['next_cursor']}"
        opened[concern["reference"]] = {"submission": concern["submission"], "additions": additions}
        seen_up_to = {"up_to_addition": additions[-1]["number"] if additions else 0}
        (await desk.post(f"{path}/acknowledgement", json=seen_up_to)).raise_for_status()


@receiver.get("/opened")
def list_opened() -> dict[str, Any]:
    """List the references of the concerns that this receiver has stored."""
    return {"references": sorted(opened)}
