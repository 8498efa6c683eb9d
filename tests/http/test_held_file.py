"""The file of held responses: only what this service wrote within a week is served from it."""

import datetime as dt
import gzip
import os
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import FastAPI

from app.config import HELD_FILE, Settings
from app.http import held_file
from app.http.held_file import Held, HeldFile, HeldResponse, Numbers
from tests.support.clock import A_TUESDAY
from tests.support.databases import on_postgresql
from tests.support.loops import for_each
from tests.support.publishing import publish_next, withdraw
from tests.support.threaded import run_server
from tests.support.waiting import eventually

KEY = Ed25519PrivateKey.from_private_bytes(b"made-up!" * 4)
WEEK = dt.timedelta(days=7)
RESPONSES = [HeldResponse("/made-up", "/{path}", [(b"etag", b'"1"')], b"\xc3\xa9 made up")]


def file_of(
    folder: Path, key: Ed25519PrivateKey = KEY, *, later: dt.timedelta = dt.timedelta(), **settings: Any
) -> HeldFile:
    return HeldFile(Settings(data_dir=folder, **settings), key, lambda: A_TUESDAY + later)


def save(file: HeldFile, responses: list[HeldResponse] = RESPONSES, *, is_current: bool = True) -> None:
    file.save(responses, Numbers(), A_TUESDAY, lambda: is_current)


def test_what_was_saved_is_read_with_its_age(tmp_path: Path) -> None:
    save(file_of(tmp_path))

    assert file_of(tmp_path, later=WEEK).read() == (
        WEEK.total_seconds(),
        Held(at=A_TUESDAY.timestamp(), numbers=Numbers(), responses=RESPONSES),
    )
    assert os.listdir(tmp_path) == [HELD_FILE]
    assert (tmp_path / HELD_FILE).stat().st_mode & 0o077 == 0


@for_each(
    "reader",
    [
        {"later": WEEK + dt.timedelta(seconds=1)},
        {"later": -dt.timedelta(minutes=6)},
        {"key": Ed25519PrivateKey.from_private_bytes(b"another!" * 4)},
        {"public_url": "https://other.example"},
        {"database_url": "postgresql://other.example/guidance"},
        {"council_name": "Another Council"},
    ],
)
def test_an_old_or_foreign_file_is_not_read(tmp_path: Path, reader: dict[str, Any]) -> None:
    if on_postgresql() and "database_url" in reader:
        return  # the tests set the address
    save(file_of(tmp_path))

    assert file_of(tmp_path, **reader).read() is None


def test_a_changed_or_torn_file_is_not_read(tmp_path: Path) -> None:
    save(file_of(tmp_path))
    path = tmp_path / HELD_FILE
    whole = path.read_bytes()

    for content in (whole[:-1], whole[:40], b"", whole[:-1] + b"x", b"x" + whole[1:], whole + b"x"):
        path.write_bytes(content)
        assert file_of(tmp_path).read() is None
    path.write_bytes(whole)
    assert file_of(tmp_path).read() is not None


def test_a_file_of_another_release_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(file_of(tmp_path))
    monkeypatch.setattr(held_file, "VERSION", "99.0.0")

    assert file_of(tmp_path).read() is None


def test_responses_that_a_change_overtook_are_not_saved(tmp_path: Path) -> None:
    save(file_of(tmp_path), is_current=False)

    assert list(tmp_path.iterdir()) == []


def test_too_much_is_not_saved_and_leaves_no_former_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = file_of(tmp_path)
    save(file)
    monkeypatch.setattr(held_file, "MAX_BYTES", 100)
    save(file, [RESPONSES[0]._replace(headers=[(b"etag", b'"2"')], body=os.urandom(200))])

    assert list(tmp_path.iterdir()) == []


def test_unchanged_responses_are_saved_again_after_an_hour(tmp_path: Path) -> None:
    file = file_of(tmp_path)
    save(file)
    (tmp_path / HELD_FILE).unlink()
    save(file)
    assert list(tmp_path.iterdir()) == []
    file.save(RESPONSES, Numbers(), A_TUESDAY + dt.timedelta(hours=1), lambda: True)

    assert os.listdir(tmp_path) == [HELD_FILE]


def test_a_folder_that_takes_no_file_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError

    monkeypatch.setattr(held_file, "write_key_file", refuse)
    file = file_of(tmp_path)
    save(file)
    file.forget()

    assert file.read() is None


def test_a_withdrawn_edition_is_in_no_file(service: FastAPI) -> None:
    file = service.state.context.held_file
    with run_server(service, holds_guidance=True):
        publish_next(service, change_note="A made-up change.")
        assert eventually(lambda: b'"edition":2' in guide_in(file))
        withdraw(service, 2)
        assert b'"edition":2' not in guide_in(file)
        assert eventually(lambda: b'"edition":1' in guide_in(file))


def guide_in(file: HeldFile) -> bytes:
    _, held = file.read() or (0.0, None)
    return b"".join(
        gzip.decompress(each.body)
        for each in (held.responses if held else ())
        if each.path == "/v1/guides/child-sexual-exploitation"
    )
