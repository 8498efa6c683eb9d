"""The samples of `examples/` that are pages: on an origin of their own, and pointed at a service."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from tests.support.command import ROOT
from tests.support.node import LEFT_OUT

ADDRESS = "http://127.0.0.1:8000"
POINTED = ("index.html", "guidance.js")
"""Files of a sample in which the address of the service stands."""


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Write nothing."""


@contextmanager
def serve_folder(folder: Path) -> Iterator[str]:
    """Serve the files of the folder on an origin of its own, and yield that."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def copy_example(name: str, target: Path) -> Path:
    """Copy the sample of that name and nothing beside it, without what is installed or built. Return the copy."""
    return shutil.copytree(ROOT / "examples" / name, target, ignore=LEFT_OUT)


def point_at(folder: Path, service: str) -> None:
    """Write the address of the service where the sample names it."""
    for name in POINTED:
        for file in folder.rglob(name):
            if "node_modules" not in file.parts:
                file.write_text(file.read_text(encoding="utf-8").replace(ADDRESS, service), encoding="utf-8")
