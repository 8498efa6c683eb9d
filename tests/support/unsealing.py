"""What tests of opening in the browser need: the built script, a locked file, a proxy that records, and memory."""

import base64
import hashlib
import hmac
import os
import re
import socket
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from playwright.sync_api import Page, expect

from app.pages.operations.api_docs import SWAGGER_DIR
from app.pages.page import UNSEAL_PAGE, UNSEAL_SCRIPT

CHUNK = 65536
WORK = 10  # as an exponent of two: far less than `age -p` takes, so that a test waits for nothing
ZERO = bytes(12)


def need_script() -> None:
    """Skip the test without the script of the desk; in continuous integration, fail."""
    if all(each.is_file() for each in (UNSEAL_SCRIPT, UNSEAL_PAGE, SWAGGER_DIR / "swagger-ui-bundle.js")):
        return
    if os.environ.get("CI") == "true":
        pytest.fail("the script of the desk was not built, and continuous integration must have it: make desk-script")
    pytest.skip("the script of the desk was not built: make desk-script")


def locked_by_passphrase(content: bytes, passphrase: str) -> bytes:
    """Return an age file of that content, which the passphrase opens (age-encryption.org/v1, scrypt)."""
    file_key, salt, nonce = (os.urandom(16) for _ in range(3))
    of_salt = b"age-encryption.org/v1/scrypt" + salt
    wrapping = hashlib.scrypt(passphrase.encode(), salt=of_salt, n=2**WORK, r=8, p=1, dklen=32)
    body = _letters(ChaCha20Poly1305(wrapping).encrypt(ZERO, file_key, None))
    header = f"age-encryption.org/v1\n-> scrypt {_letters(salt)} {WORK}\n{body}\n---".encode()
    mac = hmac.digest(_derived(file_key, None, b"header"), header, "sha256")
    last_chunk = ZERO[:11] + b"\x01"
    payload = ChaCha20Poly1305(_derived(file_key, nonce, b"payload")).encrypt(last_chunk, content, None)
    return header + f" {_letters(mac)}\n".encode() + nonce + payload


def _letters(content: bytes) -> str:
    return base64.b64encode(content).decode().rstrip("=")


def _derived(key: bytes, salt: bytes | None, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)


def choose_key(page: Page, file: Any) -> None:
    """Press the lock, and choose the key file in the browser's own window, unless the tab has it already."""
    lock = page.locator("[data-lock]")
    expect(lock).to_have_text(re.compile("^Locked"))
    if "file" not in lock.inner_text():
        lock.press("Enter")
        expect(lock).to_have_text(re.compile("^Unlocked|file$"))
        if "file" not in lock.inner_text():
            return  # it was not of another session
    with page.expect_file_chooser() as window:
        lock.press("Enter")
    window.value.set_files(file)


def unlock(page: Page, file: Any) -> None:
    """Choose the key file, and see it open."""
    choose_key(page, file)
    expect(page.locator("[data-lock]")).to_have_text("Unlocked")


class RecordingProxy:
    """Listens on a free port, passes bytes to the server at that port, and keeps every byte of either way."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.sent = bytearray()
        self.received = bytearray()
        Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        port: int = self._listener.getsockname()[1]
        return port

    def close(self) -> None:
        """Take no more connections."""
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                caller, _ = self._listener.accept()
                Thread(target=self._carry, args=(caller,), daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        with caller, socket.create_connection(("127.0.0.1", self._port)) as service:
            back = Thread(target=self._pass, args=(service, caller, self.received), daemon=True)
            back.start()
            self._pass(caller, service, self.sent)
            back.join()

    @staticmethod
    def _pass(source: socket.socket, goal: socket.socket, record: bytearray) -> None:
        with suppress(OSError):
            while chunk := source.recv(CHUNK):
                record += chunk
                goal.sendall(chunk)
            goal.shutdown(socket.SHUT_WR)


def memory_of(pid: int) -> bytes:
    """Return every byte of memory that the process can write, and so may hold what it read."""
    content = bytearray()
    with Path(f"/proc/{pid}/mem").open("rb") as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            bounds, access, *_ = line.split()
            if not access.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in bounds.split("-"))
            with suppress(OSError):  # pages that cannot be read
                memory.seek(start)
                content += memory.read(end - start)
    return bytes(content)
