"""The upper bound: an ASGI application that sends constant bytes, described by the file in BENCH_ANSWER.

The file is JSON: the headers, and the length of the body. With BENCH_ALL_HEADERS all of these headers are sent, which
shows their cost to the server; otherwise only the two that every response needs.
"""

import json
import os
from pathlib import Path

from starlette.types import Message, Receive, Scope, Send

ESSENTIAL = ("content-type", "content-length")


def _messages() -> tuple[Message, Message]:
    answer = json.loads(Path(os.environ["BENCH_ANSWER"]).read_text(encoding="utf-8"))
    everything = "BENCH_ALL_HEADERS" in os.environ
    headers = [(name.encode(), value.encode()) for name, value in answer["headers"] if everything or name in ESSENTIAL]
    body = answer["body"].encode()
    return (
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": body},
    )


START, BODY = _messages()


async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Respond to one request."""
    await send(START)
    await send(BODY)
