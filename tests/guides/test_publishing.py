"""Publishing: one door, one winner, nothing half, and nothing twice."""

import datetime as dt
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy import event, func, select
from sqlmodel import Session, SQLModel
from starlette.testclient import TestClient

from app.config import SEED_DIR
from app.db.database import open_database
from app.db.schema import prepare_schema
from app.db.writer import Writer
from app.errors import EditionAlreadyPublished, EditionOutOfOrder, GuidanceError, InvalidEdition
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.base import digest_of
from app.models.guides.edition_files import read_edition_file
from app.models.guides.edition_keys import EditionKey
from app.models.guides.editions import EditionContent
from app.services.guides import editions, publishing
from app.services.guides.editions import Contents, get_history, read_content
from app.services.guides.publishing import Publication, Published, publish_edition, publish_file
from app.services.guides.reference_data import EmergencyContacts, read_reference_data
from app.services.operations import watches
from tests.support.clock import A_TUESDAY
from tests.support.loops import for_each
from tests.support.publishing import GUIDE, SLUG, a_key, an_edition

pytestmark = pytest.mark.slow

REFERENCE_DATA = read_reference_data(SEED_DIR)
ROUNDS = range(1, 11)

Publisher = Callable[..., Published]


@contextmanager
def a_publisher(data_dir: Path) -> Iterator[Publisher]:
    """A publisher with a writer and connections of its own, as each process has."""
    engine = open_database(data_dir)
    prepare_schema(engine, data_dir, migrates=True)
    writer = Writer(engine, queue_size=10, wait_seconds=30)
    writer.start()

    def publish(
        number: int, *, guide: str = SLUG, at: dt.datetime = A_TUESDAY, content: EditionContent | None = None
    ) -> Published:
        words = content or an_edition()
        return writer.run(publish_edition, REFERENCE_DATA, guide, words, number, at=at, two_people=False)

    yield publish
    writer.stop()
    engine.dispose()


@pytest.fixture
def publish(tmp_path: Path) -> Iterator[Publisher]:
    with a_publisher(tmp_path) as publish:
        yield publish


def published(data_dir: Path, number: int) -> EditionContent:
    """The edition as it can be read; its digest is that of its words."""
    engine = open_database(data_dir)
    with Session(engine) as session:
        content = read_content(session, EditionKey(SLUG, number))
        (head,) = (head for head in get_history(session, guide=SLUG) if head.number == number)
    engine.dispose()
    assert head.digest == digest_of(content)
    return content


def test_the_editions_read_last_are_remembered_and_no_more(
    publish: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(editions, "MAX_CACHED_EDITIONS", 2)
    for number in (1, 2, 3):
        publish(number, content=an_edition(change_note=f"Edition {number}."))
    engine = open_database(tmp_path)
    remembering = Contents(engine)
    keys = [EditionKey(SLUG, number) for number in (1, 2, 3)]

    read = [remembering(key) for key in (keys[0], keys[1], keys[0], keys[2])]

    assert [content.change_note for content in read] == ["Edition 1.", "Edition 2.", "Edition 1.", "Edition 3."]
    assert [remembering.cached(key) is not None for key in keys] == [True, False, True]
    engine.dispose()


def count_of_rows(data_dir: Path) -> dict[str, int | None]:
    engine = open_database(data_dir)
    with engine.connect() as connection:
        tables = SQLModel.metadata.sorted_tables
        counts = {table.name: connection.scalar(select(func.count()).select_from(table)) for table in tables}
    engine.dispose()
    return counts


def with_code(code: str, part: str) -> EditionContent:
    """The edition, with that code on the guide itself, or on the first item of a part."""
    words = an_edition().model_dump()
    bearer = words if part == "guide" else words[part][0]
    bearer["related_codes"] = [{"scheme": "dfe-assessment-factors", "code": code, "basis": "project_inference"}]
    return EditionContent.model_validate(words)


def test_what_is_read_is_what_was_published(publish: Publisher, tmp_path: Path) -> None:
    told = publish(1)

    assert told == Published(EditionKey(SLUG, 1), digest_of(an_edition()), A_TUESDAY, is_new=True)
    assert published(tmp_path, 1) == an_edition()


def test_the_same_words_again_change_nothing(publish: Publisher, tmp_path: Path) -> None:
    first = publish(1)
    before = count_of_rows(tmp_path)

    again = publish(1, at=A_TUESDAY + dt.timedelta(days=1))

    assert (again.digest, again.published_at, again.is_new) == (first.digest, A_TUESDAY, False)
    assert count_of_rows(tmp_path) == before


def test_other_words_under_a_published_number_are_refused(publish: Publisher, tmp_path: Path) -> None:
    publish(1)

    with pytest.raises(EditionAlreadyPublished):
        publish(1, content=an_edition(change_note="A made-up change."))

    assert published(tmp_path, 1) == an_edition()


@pytest.mark.slow
@for_each(("standing", "number"), [([], 0), ([], 2), ([1], 3), ([1, 2], 4), ([1], -1)])
def test_a_number_out_of_order_is_refused_and_leaves_nothing(
    publish: Publisher, tmp_path: Path, standing: list[int], number: int
) -> None:
    for earlier in standing:
        publish(earlier)
    before = count_of_rows(tmp_path)

    with pytest.raises(EditionOutOfOrder):
        publish(number)

    assert count_of_rows(tmp_path) == before


@for_each("part", ["guide", "factors", "indicators", "linked_risks"])
def test_a_related_code_in_no_list_is_refused_in_every_part(publish: Publisher, tmp_path: Path, part: str) -> None:
    before = count_of_rows(tmp_path)

    with pytest.raises(InvalidEdition) as refused:
        publish(1, content=with_code("99Z", part))

    place: tuple[Any, ...] = () if part == "guide" else (part, 0)
    assert [fault.at for fault in refused.value.faults] == [(*place, "related_codes", 0, "code")]
    assert "99Z" not in refused.value.faults[0].detail
    assert count_of_rows(tmp_path) == before


def race(data_dir: Path, contents: tuple[EditionContent, EditionContent], number: int) -> list[Published | Exception]:
    """The outcomes of two publishers that begin at the same moment, each on its own connections."""
    start = Barrier(2)
    with ExitStack() as stack:
        publishers = [stack.enter_context(a_publisher(data_dir)) for _ in contents]
        threads = stack.enter_context(ThreadPoolExecutor(2))

        def run(publish: Publisher, content: EditionContent) -> Published | Exception:
            start.wait()
            try:
                return publish(number, content=content)
            except GuidanceError as refusal:
                return refusal

        return list(threads.map(run, publishers, contents))


def test_of_two_publishers_with_other_words_one_wins_whole(tmp_path: Path) -> None:
    for number in ROUNDS:
        ours = an_edition(change_note=f"A made-up change by one publisher, {number}.")
        theirs = an_edition(change_note=f"A made-up change by another, {number}.", linked_risks=[], responsibilities=[])

        outcomes = race(tmp_path, (ours, theirs), number)

        won = [content for content, told in zip((ours, theirs), outcomes, strict=True) if isinstance(told, Publication)]
        assert [type(told) for told in outcomes if isinstance(told, Exception)] == [EditionAlreadyPublished]
        assert [published(tmp_path, number)] == won


def test_two_publishers_with_the_same_words_both_succeed(tmp_path: Path) -> None:
    for number in ROUNDS:
        words = an_edition(change_note=f"A made-up change, {number}.")

        outcomes = race(tmp_path, (words, words), number)

        assert sorted(told.is_new for told in outcomes if isinstance(told, Publication)) == [False, True]
        assert published(tmp_path, number) == words


def by_the_service(client: TestClient, content: EditionContent, _folder: Path) -> bool:
    context: AppContext = client.app.state.context  # type: ignore[attr-defined]  # the service under test
    return context.writer.run(
        publish_edition, context.reference_data, SLUG, content, at=A_TUESDAY, two_people=False
    ).is_new


def over_http(client: TestClient, content: EditionContent, _folder: Path) -> bool:
    headers = client.headers | {"If-Match": client.headers["Current"]}
    answer = client.post(f"{GUIDE}/editions", json=content.model_dump(mode="json"), headers=headers)
    return answer.status_code == 201


def from_a_file(client: TestClient, content: EditionContent, folder: Path) -> bool:
    context: AppContext = client.app.state.context  # type: ignore[attr-defined]  # the service under test
    path = folder / SLUG / "2.yaml"
    path.parent.mkdir()
    path.write_text(content.model_dump_json(), encoding="utf-8")
    return publish_file(
        context.writer, context.reference_data, read_edition_file(path), at=A_TUESDAY, two_people=False
    ).is_new


@pytest.fixture
def nothing_watched(monkeypatch: pytest.MonkeyPatch) -> None:
    """One of the watches reads the contacts, and so the history, as soon as a service starts."""
    monkeypatch.setattr(watches, "WATCHES", ())


@pytest.mark.usefixtures("nothing_watched")
@pytest.mark.parametrize("publish_by", [by_the_service, over_http, from_a_file])
def test_one_publish_reads_the_history_once_and_takes_the_digest_once(
    client: TestClient,
    service: FastAPI,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    publish_by: Callable[[TestClient, EditionContent, Path], bool],
) -> None:
    client.headers.update(a_key(client, Scope.PUBLISH) | {"Current": client.get(GUIDE).headers["ETag"]})
    histories: list[str] = []
    digests: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if "LEFT OUTER JOIN withdrawals" in statement and "editions.words" not in statement:  # which renditions need
            histories.append(statement)

    def take_digest(content: EditionContent) -> str:
        digests.append(digest_of(content))
        return digests[-1]

    monkeypatch.setattr(publishing, "digest_of", take_digest)
    monkeypatch.setattr(EmergencyContacts, "current", lambda _: None)  # they are read again after each publication
    event.listen(service.state.context.engine, "before_cursor_execute", note)
    is_new = publish_by(client, an_edition(change_note="Two."), tmp_path)
    event.remove(service.state.context.engine, "before_cursor_execute", note)

    assert is_new
    assert (len(histories), len(digests)) == (1, 1)
