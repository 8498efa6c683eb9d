"""The weights of `app/`, and the walks of three requests: `python -m tests.support.walks` writes them.

A profiling hook in every thread traces equal requests, but for the first. A function counts once. The least of the
counts is written, because a job of the service may run beside a request.
"""

import asyncio
import subprocess
import sys
import tempfile
import threading
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import httpx

from app.config import Settings
from app.main import create_app
from tests.support.structure import ROOT, write_weights

APP = f"{ROOT}/app/"
CONCERN = {
    "immediate_danger": "no",
    "reporter": {"kind": "professional"},
    "children": [{}],
    "concern": {"narrative": "Alex Example was collected from school by an adult that staff do not know."},
}
GUIDE = "/v1/guides/child-sexual-exploitation"
TRACED = 4


async def count_functions() -> dict[str, int]:
    """Return the number of functions that each of the three requests enters."""
    entered: set[CodeType] = set()

    def trace(frame: FrameType, event: str, _: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(APP) and not code.co_name.startswith("<"):
            entered.add(code)

    threading.setprofile(trace)  # the hook must be set before a thread of the service starts
    with tempfile.TemporaryDirectory(prefix="walks-") as folder:
        app = create_app(Settings(data_dir=Path(folder), deliver=False), lambda: datetime.now(UTC))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
                walks = await _count_functions_of(
                    client, {"Authorization": f"Bearer {_desk_key(folder)}"}, trace, entered
                )
    threading.setprofile(None)
    return walks


async def _count_functions_of(
    client: httpx.AsyncClient, key: dict[str, str], trace: Callable[..., None], entered: set[CodeType]
) -> dict[str, int]:
    async def raise_concern() -> httpx.Response:
        return await client.post("/v1/concerns", json=CONCERN)

    ids = iter([each["id"] for each in (await client.get(f"{GUIDE}/indicators")).json()["indicators"]])
    references = iter([(await raise_concern()).json()["reference"] for _ in range(1 + TRACED)])
    measured: dict[str, Callable[[], Awaitable[httpx.Response]]] = {
        "a concern": raise_concern,
        "an acknowledgement": lambda: client.post(
            f"/v1/desk/concerns/{next(references)}/acknowledgement", json={}, headers=key
        ),
        "a first read": lambda: client.get(f"{GUIDE}/indicators/{next(ids)}"),
    }
    walks = {}
    for name, send in measured.items():
        (await send()).raise_for_status()
        counts = []
        for _ in range(TRACED):
            entered.clear()
            sys.setprofile(trace)
            answer = await send()
            sys.setprofile(None)
            answer.raise_for_status()
            counts.append(len(entered))
        walks[name] = min(counts)
    return walks


def _desk_key(folder: str) -> str:
    command = [sys.executable, "-m", "app.cli", "clients", "add", "example-desk", "--data-dir", folder]
    scopes = ["--scope", "concerns:read", "--scope", "concerns:write"]
    return subprocess.run([*command, *scopes], check=True, capture_output=True, text=True).stdout.strip()


if __name__ == "__main__":
    write_weights(ROOT, asyncio.run(count_functions()))
