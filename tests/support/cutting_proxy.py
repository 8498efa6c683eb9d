"""A proxy that cuts connections: each may carry so many bytes, both ways together, and is then reset."""

import socket
import struct
from collections.abc import Callable
from threading import Lock, Thread

RESET_AT_CLOSE = struct.pack("ii", 1, 0)
CHUNK = 4096


class CuttingProxy:
    """Listens on a free port, and passes bytes to `target` (host, port)."""

    def __init__(self, target: tuple[str, int], budget: Callable[[], int | None]) -> None:
        """`budget` gives the number of bytes of the next connection; None lets it be."""
        self._target, self._budget = target, budget
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.cut = 0
        self._lock = Lock()
        Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()
        return f"http://{host}:{port}"

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            Thread(target=self._carry, args=(caller, socket.create_connection(self._target)), daemon=True).start()

    def _carry(self, caller: socket.socket, service: socket.socket) -> None:
        left = self._budget()
        allowance = _Allowance(left)
        ways = [
            Thread(target=self._pass, args=way, daemon=True)
            for way in ((caller, service, allowance), (service, caller, allowance))
        ]
        for each in ways:
            each.start()
        for each in ways:
            each.join()
        for end in (caller, service):
            end.close()
        if allowance.is_spent:
            with self._lock:
                self.cut += 1

    @staticmethod
    def _pass(source: socket.socket, goal: socket.socket, allowance: "_Allowance") -> None:
        try:
            while chunk := source.recv(CHUNK):
                goal.sendall(chunk[: allowance.take(len(chunk))])
                if allowance.is_spent:
                    break
        except OSError:
            pass
        for each in (source, goal):
            if allowance.is_spent:
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_AT_CLOSE)
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Allowance:
    """How many bytes a connection may still carry."""

    def __init__(self, left: int | None) -> None:
        self._left, self._lock = left, Lock()
        self.is_spent = False

    def take(self, wanted: int) -> int:
        if self._left is None:
            return wanted
        with self._lock:
            taken = min(wanted, self._left)
            self._left -= taken
            self.is_spent = self._left == 0
        return taken
