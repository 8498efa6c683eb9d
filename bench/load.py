"""The load: `wrk` for reads if it is installed. Otherwise, and for posts, connections that are kept open."""

import asyncio
import re
import shutil
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from bench.servers import Server, pinned

LOAD_CPU = "0"
OK = (200, 201, 304)


@dataclass(frozen=True)
class Measured:
    """A measurement: requests a second, and latencies in milliseconds."""

    rate: float
    median: float = 0.0
    p99: float = 0.0
    failed: int = 0
    """Number of unsuccessful responses. No other figure counts them, except `cpu`."""
    answers: int = 0
    cpu: float = 0.0
    """Processor time of the server for each response, in microseconds. It is reliable even on a busy machine."""


def with_cpu(server: Server, measure: Callable[[], Measured]) -> Measured:
    """Call `measure`, and return its measurement with the server's processor time."""
    before = server.cpu_seconds()
    measured = measure()
    return replace(measured, cpu=(server.cpu_seconds() - before) / max(1, measured.answers + measured.failed) * 1e6)


def read(url: str, *, connections: int, seconds: float, headers: dict[str, str] | None = None) -> Measured:
    """Read `url` repeatedly for `seconds`, on `connections` connections.

    Raise `RuntimeError` if `wrk` reports an unsuccessful response. Without `wrk`, such responses are only counted.
    """
    if shutil.which("wrk"):
        return _wrk(url, connections, seconds, headers or {})
    return send(url, lambda: raw_request(url, "GET", headers or {}, b""), connections=connections, seconds=seconds)


def post(url: str, body: bytes, *, connections: int, seconds: float, headers: dict[str, str] | None = None) -> Measured:
    """Post `body` to `url` repeatedly for `seconds`, on `connections` connections."""
    request = raw_request(url, "POST", {"Content-Type": "application/json", **(headers or {})}, body)
    return send(url, lambda: request, connections=connections, seconds=seconds)


def read_each(urls: list[str]) -> Measured:
    """Read each URL once, in order, on one connection. All URLs are on one server."""
    waiting = iter(urls)
    return send(urls[0], lambda: raw_request(next(waiting), "GET", {}, b""), connections=1, seconds=3600)


def send(url: str, next_request: Callable[[], bytes], *, connections: int, seconds: float) -> Measured:
    """Send requests on `connections` connections, for `seconds` or until `next_request` raises `StopIteration`."""
    took: list[float] = []
    failed: list[bytes] = []
    began = time.perf_counter()
    asyncio.run(_on_all(url, next_request, connections, began + seconds, took, failed))
    spent = time.perf_counter() - began
    if not took:
        return Measured(rate=0.0, failed=len(failed))
    took.sort()
    return Measured(
        len(took) / spent, statistics.median(took) * 1000, took[int(len(took) * 0.99)] * 1000, len(failed), len(took)
    )


async def _on_all(
    url: str, next_request: Callable[[], bytes], connections: int, until: float, took: list[float], failed: list[bytes]
) -> None:
    await asyncio.gather(*(_on_one(url, next_request, until, took, failed) for _ in range(connections)))


async def _on_one(
    url: str, next_request: Callable[[], bytes], until: float, took: list[float], failed: list[bytes]
) -> None:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        while (began := time.perf_counter()) < until:
            try:
                request = next_request()
            except StopIteration:
                break
            status, _ = await exchange(reader, writer, request)
            if status in OK:
                took.append(time.perf_counter() - began)
            else:
                failed.append(b"%d" % status)
    finally:
        writer.close()


async def exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[int, bytes]:
    """Send a request on an open connection, and return the status and the body of the response."""
    writer.write(request)
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"content-length: (\d+)", head, re.IGNORECASE)
    body = await reader.readexactly(int(length[1])) if length else b""
    return int(head[9:12]), body


def raw_request(url: str, method: str, headers: dict[str, str], body: bytes = b"") -> bytes:
    """Return the bytes of an HTTP request."""
    address = urlsplit(url)
    target = address.path + (f"?{address.query}" if address.query else "")
    if body:
        headers = headers | {"Content-Length": str(len(body))}
    lines = [f"{method} {target} HTTP/1.1", f"Host: {address.netloc}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _wrk(url: str, connections: int, seconds: float, headers: dict[str, str]) -> Measured:
    more = [word for name, value in headers.items() for word in ("-H", f"{name}: {value}")]
    command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--latency", *more, url]
    printed = subprocess.run(pinned(command, LOAD_CPU), capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in printed:
        raise RuntimeError("an answer was no success")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", printed)
    if rate is None or float(rate[1]) == 0:
        raise RuntimeError("wrk printed no rate")
    answers = re.search(r"(\d+) requests in", printed)
    return Measured(
        float(rate[1]),
        _milliseconds(printed, "50%"),
        _milliseconds(printed, "99%"),
        answers=int(answers[1]) if answers else 0,
    )


def _milliseconds(printed: str, share: str) -> float:
    found = re.search(rf"{share}\s+([\d.]+)(us|ms|s)", printed)
    return float(found[1]) * {"us": 0.001, "ms": 1.0, "s": 1000.0}[found[2]] if found else 0.0
