"""Connections that send more small parts than the service works on at once: they cost little, and others are served."""

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from tests.support.live import LiveServer
from tests.support.loops import first_by_day
from tests.support.wire import SECTION, Address, address_of, bye, chunked, connected, everything_from, request, statuses

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

MEGABYTE = 1_000_000
OFFERED = 8 * MEGABYTE
CONNECTIONS = 20
LOOKS = 15
MOST_MEMORY = 60 * MEGABYTE  # 3 MB for each connection: the parser's buffer and the answers that wait
JSON = {"Content-Type": "application/json", "Transfer-Encoding": "chunked"}
SMALL = {
    "cached reads": request(SECTION),
    "liveness": request("/health/live"),
    "unknown paths": b"GET /x HTTP/1.1\r\nHost: a\r\n\r\n",
    "fields of one letter": request("/v1", **{f"{number:x}": "x" for number in range(5_000)}),
    "chunks of one byte": request("/v1/concerns/check", "POST", **JSON) + chunked(b" ")[:-5] * 9_000 + b"0\r\n\r\n",
}


class Flood:
    """Connections that offer as much as the server takes, and read nothing or everything."""

    def __init__(self, address: Address, small: bytes, *, reads: bool) -> None:
        self._many = memoryview(small * (OFFERED // len(small)))
        self._reads = reads
        self._stop = threading.Event()
        self.taken = [0] * CONNECTIONS
        with ExitStack() as stack:
            self._connections = [stack.enter_context(connected(address)) for _ in range(CONNECTIONS)]
            self._close = stack.pop_all()
        self._thread = threading.Thread(target=self._offer)

    def __enter__(self) -> "Flood":
        for each in self._connections:
            each.setblocking(False)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._close.close()

    def _offer(self) -> None:
        live = list(self._connections)
        while live and not self._stop.is_set():
            readable, writable, _ = select.select(live if self._reads else [], live, [], 0.1)
            for each in {*readable, *writable}:
                if not self._exchange(each, is_readable=each in readable, is_writable=each in writable):
                    live.remove(each)

    def _exchange(self, connection: socket.socket, *, is_readable: bool, is_writable: bool) -> bool:
        """Read and send a part. Return False when everything was offered, or the server has closed the connection."""
        place = self._connections.index(connection)
        try:
            if is_readable and not connection.recv(MEGABYTE):
                return False
            if is_writable:
                at = self.taken[place]
                self.taken[place] += connection.send(self._many[at : at + 262_144])
        except OSError:
            return False
        return self.taken[place] < len(self._many)


@pytest.fixture(scope="module")
def flooded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with LiveServer(tmp_path_factory.mktemp("flooded") / "data", deliver="false") as server:
        yield server


def worked(process: psutil.Process) -> float:
    """The seconds that the processor has worked for the process."""
    spent = process.cpu_times()
    return float(spent.user + spent.system)


def look(process: psutil.Process, address: Address) -> float:
    """The seconds of its work until the service says that it is alive. Others work on the machine of the tests too."""
    before = worked(process)
    with connected(address) as connection:
        connection.sendall(bye("/health/live"))
        assert statuses([everything_from(connection)]) == [200]
    return worked(process) - before


@pytest.mark.parametrize("reads", [False, True], ids=["reads nothing", "reads everything"])
@pytest.mark.parametrize("small", first_by_day(SMALL.values(), 2), ids=SMALL.keys())
def test_floods_of_small_parts_fill_no_memory_and_delay_nobody(flooded: LiveServer, small: bytes, reads: bool) -> None:
    assert flooded._process is not None
    process, address = psutil.Process(flooded._process.pid), address_of(flooded.url)
    before, most, times = process.memory_info().rss, 0, []
    with Flood(address, small, reads=reads) as flood:
        for _ in range(LOOKS):
            times.append(look(process, address))
            most = max(most, process.memory_info().rss)

    assert sum(flood.taken) > CONNECTIONS * len(small)
    assert most - before < MOST_MEMORY
    assert max(times) < 1.0, times
