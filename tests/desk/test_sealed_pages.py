"""The desk's pages carry sealed texts, and the layout to show them, if the service cannot open a concern."""

import base64
import dataclasses
import html
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyrage
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.config import Settings, settings_at
from app.main import create_app
from app.models.concerns.examples import FULL_EXAMPLE
from app.pages.desk.referral import leaves_of
from app.services.concerns.keys import create_identity
from app.services.concerns.sealing import read_identities
from tests.support.clock import A_TUESDAY
from tests.support.command import guidance
from tests.support.concerns import a_concern, add, raise_concern
from tests.support.databases import raw_connection
from tests.support.desk import desk_of
from tests.support.people import sign_in_as
from tests.support.service import a_service
from tests.support.threaded import run_server

pytestmark = pytest.mark.slow

ELEMENT = re.compile(r'<div class="sealed"([^>]*)>\s*<template class="ciphertext">([^<]*)</template>')
COMMAND = re.compile(r'<pre [^>]*aria-label="Command">([^<]*)</pre>')
LAYOUT = re.compile(r'<script type="application/json" id="referral-layout">([^<]*)</script>')


@pytest.fixture
def identity() -> pyrage.x25519.Identity:
    return pyrage.x25519.Identity.generate()


@pytest.fixture
def hosted(tmp_path: Path, identity: pyrage.x25519.Identity) -> Iterator[TestClient]:
    """The browser of a person at a desk that can open nothing."""
    service: FastAPI = a_service(data_dir=tmp_path / "data", seal_to=(str(identity.to_public()),))
    with TestClient(service) as client:
        sign_in_as(service, client)
        yield client


def test_the_page_carries_each_sealed_text_that_age_can_open(
    hosted: TestClient, identity: pyrage.x25519.Identity
) -> None:
    receipt = raise_concern(hosted, **FULL_EXAMPLE)
    add(hosted, receipt, "Alex Example came home.")
    reference = receipt["reference"]

    found = ELEMENT.findall(hosted.get(f"/desk/concerns/{reference}").text)
    further = ELEMENT.findall(hosted.get(f"/desk/concerns/{reference}/additions").text)

    opened = [json.loads(pyrage.decrypt(html.unescape(text).encode(), [identity])) for _, text in found]
    assert [next(name for name in ("submission", "addition") if name in each) for each in opened] == [
        "submission",
        "addition",
    ]
    for (attributes, _), document, place in zip(found, opened, (("concern", 0), ("addition", 1)), strict=True):
        assert dict(re.findall(r'([a-z-]+)="([^"]*)"', attributes)) == {
            "data-sealed": place[0],
            "data-reference": reference,
            "data-number": str(place[1]),
            "data-received-at": document["received_at"],
        }
    assert further == found[1:]


def test_the_layout_labels_every_answer_and_code_of_the_form(hosted: TestClient) -> None:
    receipt = raise_concern(hosted, **FULL_EXAMPLE)

    (text,) = LAYOUT.findall(hosted.get(f"/desk/concerns/{receipt['reference']}").text)
    layout = json.loads(text)

    assert set(layout) == {"flags", "sections", "further", "elsewhere", "nothing"}
    names = {each["name"] for section in layout["sections"] for each in section["questions"]}
    groups = {each["name"]: each for section in layout["sections"] for each in section["groups"]}
    assert {"immediate_danger", "concern.narrative", "concern.indicators", "reporter.name"} <= names
    assert groups["children"]["entry"] == "Child"
    of_child = {each["name"]: each for each in groups["children"]["questions"]}
    given = {name.rpartition(".")[2] for name, _ in leaves_of(FULL_EXAMPLE["children"][0])}
    assert {"given_names", "sex", "date_of_birth"} <= given & set(of_child)
    assert of_child["sex"]["choices"]["F"] == "Female"


ADDED = "Alex Example came home."
NOTED = "Spoke to the school."


def words_for(identity: pyrage.x25519.Identity, data_dir: Path, kind: str) -> Any:
    with raw_connection(data_dir) as database:
        ((sealed,),) = database.execute(f"SELECT sealed FROM entries WHERE kind = '{kind}'").fetchall()  # noqa: S608  # own names
    return json.loads(pyrage.decrypt(bytes(sealed), [identity]))


def test_each_identity_opens_additions_and_notes_and_the_second_hands_over(tmp_path: Path) -> None:
    paths = [tmp_path / "first.txt", tmp_path / "second.txt", tmp_path / "neighbour.txt"]
    first, second, neighbour = (create_identity(path, at=A_TUESDAY) for path in paths)
    data_dir = tmp_path / "data"
    settings = Settings(data_dir=data_dir, seal_to=(first, second), seal_identity_file=paths[1], deliver=False)
    service = create_app(settings, lambda: A_TUESDAY)
    with TestClient(service) as client:
        desk = desk_of(service, client)
        receipt = raise_concern(client)
        assert add(client, receipt, ADDED).status_code == 201
        assert desk.act(receipt["reference"], "notes", text=NOTED).status_code == 201
        hand_over = desk.act(
            receipt["reference"],
            "hand-over",
            recipient=neighbour,
            body="Example Council",
            reason="The child lives there.",
        ).json()

        for path in paths[:2]:
            (identity,) = read_identities(path).identities
            assert words_for(identity, data_dir, "addition")["addition"]["concern"]["narrative"] == ADDED
            assert words_for(identity, data_dir, "note")["note"]["text"] == NOTED

    package = json.loads(read_identities(paths[2]).decrypt(base64.b64decode(hand_over["package"])))
    assert package["concern"]["submission"] == a_concern()
    assert [each["addition"]["concern"]["narrative"] for each in package["additions"]] == [ADDED]


def test_the_command_of_a_page_opens_the_concern_as_it_is_printed(tmp_path: Path) -> None:
    identity = tmp_path / "identity.txt"
    recipient = create_identity(identity, at=A_TUESDAY)
    service: FastAPI = a_service(data_dir=tmp_path / "data", seal_to=(recipient,))
    with run_server(service) as url:
        client, context = TestClient(service), service.state.context
        service.state.context = dataclasses.replace(context, settings=settings_at(context.settings, url))
        sign_in_as(service, client)
        reference = raise_concern(client, **FULL_EXAMPLE)["reference"]
        page = client.get(f"/desk/concerns/{reference}").text
        added = guidance("clients", "add", "jo", "--role", "worker", "--data-dir", tmp_path / "data")
        printed = html.unescape(COMMAND.findall(page)[0])

        told = guidance(*shlex.split(printed.replace("FILE", str(identity)))[1:], DESK_KEY=added.stdout.strip())

    assert "<code>GUIDANCE_DESK_KEY</code>" in page
    assert told.returncode == 0, added.stderr + told.stderr
    assert json.dumps(FULL_EXAMPLE["concern"]["narrative"], ensure_ascii=False) in told.stdout
