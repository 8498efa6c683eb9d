"""Two indexes on this machine, of wheels and of npm packages: what is published here is installed by its name."""

import hashlib
import json
import re
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import unquote

UPLOAD, SIMPLE, FILES = "/upload", "/simple/", "/files/"


class Indexes(ThreadingHTTPServer):
    """The index of wheels has the files in `folder`, that of npm packages what is in `packages`."""

    def __init__(self, folder: Path) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.packages: dict[str, dict[str, Any]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def names(self) -> set[str]:
        """The names of all files that were published."""
        return {path.name for path in self.folder.iterdir()}


class _Handler(BaseHTTPRequestHandler):
    server: Indexes

    def do_POST(self) -> None:
        """An upload of a wheel, as multipart/form-data."""
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        parts = message_from_bytes(head + self._body()).walk()
        ((name, content),) = [
            (each.get_filename(), each.get_payload(decode=True)) for each in parts if each.get_filename()
        ]
        (self.server.folder / str(name)).write_bytes(bytes(content))
        self._answer(200)

    def do_PUT(self) -> None:
        """A version of an npm package, with its archive in the document."""
        told = json.loads(self._body())
        package = self.server.packages.setdefault(told["name"], {"name": told["name"], "versions": {}, "dist-tags": {}})
        for archive in told["_attachments"].values():
            (version,) = told["versions"].values()
            name = f"{told['name']}-{version['version']}.tgz"
            (self.server.folder / name).write_bytes(b64decode(archive["data"]))
            version["dist"]["tarball"] = f"{self.server.url}{FILES}{name}"
        package["versions"] |= told["versions"]
        package["dist-tags"] |= told["dist-tags"]
        self._answer(201, b'{"ok": true}', "application/json")

    def do_GET(self) -> None:
        path = unquote(self.path.partition("?")[0])
        if path.startswith(SIMPLE):
            wanted = path.removeprefix(SIMPLE).strip("/")
            files = [each for each in self.server.folder.glob("*.whl") if _project_of(each) == wanted]
            links = [f'<a href="{FILES}{each.name}#sha256={_digest(each)}">{each.name}</a>' for each in files]
            self._answer(200 if files else 404, f"<!doctype html>{''.join(links)}".encode(), "text/html")
        elif path.startswith(FILES) and (file := self.server.folder / Path(path).name).is_file():
            self._answer(200, file.read_bytes(), "application/octet-stream")
        elif package := self.server.packages.get(path.strip("/")):
            self._answer(200, json.dumps(package).encode(), "application/json")
        else:
            self._answer(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers["Content-Length"]))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _answer(self, status: int, body: bytes = b"", media_type: str = "text/plain") -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _project_of(wheel: Path) -> str:
    return re.sub(r"[-_.]+", "-", wheel.name.partition("-")[0]).lower()


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


@contextmanager
def local_indexes(folder: Path) -> Iterator[Indexes]:
    """Serve both indexes, empty at first."""
    folder.mkdir()
    with Indexes(folder) as indexes:
        Thread(target=indexes.serve_forever, daemon=True).start()
        yield indexes
        indexes.shutdown()
