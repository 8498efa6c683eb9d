"""The walks of `docs/architecture.md`: the functions from a route to its row, as a trace finds them."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import Engine, event
from starlette.testclient import TestClient

from app.config import Settings
from app.main import create_app
from tests.support.clock import SettableClock
from tests.support.concerns import a_concern, raise_concern
from tests.support.desk import desk_of
from tests.support.publishing import GUIDE

pytestmark = pytest.mark.any_database

ROOT = Path(__file__).parents[2]
APP = f"{ROOT}/app/"
ARCHITECTURE = ROOT / "docs" / "architecture.md"
WRITER = "app/db/writer.py"
Walk = list[str]


def frames_of(frame: FrameType | None) -> Walk:
    """Return file and name of each function of `app/` that the frame is in, the outermost first."""
    walk: Walk = []
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(APP) and not code.co_name.startswith("<"):
            walk.append(f"{code.co_filename.removeprefix(f'{ROOT}/')}:{code.co_qualname}")
        frame = frame.f_back
    return walk[::-1]


class Tracer:
    """The last way of a request to the writer, and the ways to the statements that were executed."""

    def __init__(self) -> None:
        self.request: Walk = []
        self.statements: dict[str, Walk] = {}

    def profile(self, frame: FrameType, kind: str, _: Any) -> None:
        """Note the functions that wait for the writer."""
        if kind == "call" and frame.f_code.co_qualname in ("Writer.run", "Writer.run_async"):
            self.request = frames_of(frame)

    def execute(self, _connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        """Note the functions that a statement comes from."""
        self.statements.setdefault(" ".join(statement.split()), frames_of(sys._getframe()))

    def walk_to(self, beginning: str) -> Walk:
        """Return the functions from the route to the first statement that begins so."""
        found = next(walk for statement, walk in self.statements.items() if statement.startswith(beginning))
        own = [each for each in found if not each.startswith(WRITER)]
        walk = own if len(own) == len(found) else [*self.request, *own]
        first = next(place for place, each in enumerate(walk) if each.startswith("app/routers/"))
        return walk[first:]


@contextmanager
def traced() -> Iterator[Tracer]:
    """Trace every thread that starts within the block."""
    tracer = Tracer()
    threading.setprofile(tracer.profile)
    event.listen(Engine, "before_cursor_execute", tracer.execute)
    try:
        yield tracer
    finally:
        event.remove(Engine, "before_cursor_execute", tracer.execute)
        threading.setprofile(None)


def told(title: str, walk: Walk) -> str:
    """Return the walk as the document has it."""
    return "\n".join([f"### {title}", "", *(f"{place}. `{each}`" for place, each in enumerate(walk, 1)), ""])


@pytest.fixture
def walks(settings: Settings) -> dict[str, Walk]:
    """The walks of a concern, of an acknowledgement, and of the first read of an edition, by their titles."""
    with traced() as tracer:
        service = create_app(settings, SettableClock())
        with TestClient(service) as client:
            desk = desk_of(service, client)

            def walk(send: Callable[[], Any], beginning: str) -> Walk:
                tracer.statements.clear()
                assert send().status_code in (200, 201)
                return tracer.walk_to(beginning)

            reference = raise_concern(client)["reference"]
            return {
                "A concern": walk(lambda: client.post("/v1/concerns", json=a_concern()), "INSERT INTO concerns"),
                "An acknowledgement": walk(lambda: desk.act(reference, "acknowledgement"), "INSERT INTO audit_entries"),
                "The first read of an edition": walk(
                    lambda: client.get(f"{GUIDE}/editions/1"), "SELECT editions.number"
                ),
            }


@pytest.mark.slow
def test_the_architecture_shows_the_walks_from_a_route_to_its_row(walks: dict[str, Walk]) -> None:
    document = ARCHITECTURE.read_text(encoding="utf-8")

    for title, walk in walks.items():
        assert walk[0].startswith("app/routers/")
        assert told(title, walk) in document, told(title, walk)
