"""Additions of a database of version 0.1.0: what the record says was seen stays seen, and everything else waits."""

# ruff: noqa: S608  # the statements are made of the invented rows below

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from app.store.additions import count_additions
from app.store.database import for_writing
from app.store.schema import migrate_schema
from tests.support.clock import A_TUESDAY
from tests.support.revisions import FIRST, NEWEST, make_first_release
from tests.support.schema import an_empty, plain, rows

pytestmark = pytest.mark.slow  # processes, browsers or long work

ERASED, WAITING, LATER, SEEN = "02FK-926W-0X3R", "4F7K-926W-0X3R", "9Z32-2M9M-73M2", "XX73-R6F4-88YX"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An empty database of either kind."""
    engine = an_empty(request.param, "released", tmp_path)
    yield engine
    engine.dispose()


def fill_as_released(engine: Engine) -> None:
    """Write concerns with additions as version 0.1.0 did: one erased, one received, two acknowledged and closed."""
    concerns = ((ERASED, "closed"), (WAITING, "received"), (LATER, "closed"), (SEEN, "acknowledged"))
    added = ((ERASED, 1, 9), (WAITING, 1, 9), (LATER, 1, 9), (LATER, 2, 11), (LATER, 3, 13), (SEEN, 1, 9))
    acts = ((LATER, "acknowledged", 10), (LATER, "opened", 12), (LATER, "closed", 12), (SEEN, "acknowledged", 10))
    everywhere = "guide, edition, referral_source, form_version, recipients, status_token_sha256, outcome_shared"
    text = "CAST('sealed' AS bytea)" if engine.dialect.name == "postgresql" else "CAST('sealed' AS BLOB)"
    with for_writing(engine).begin() as connection:
        run = connection.exec_driver_sql
        run("INSERT INTO guides VALUES ('example', '2026-01-06 09:00:00')")
        run(
            "INSERT INTO editions VALUES ('example', 1, '2026-01-06 09:00:00', 'sha256:0', 'Example', '{}', '-', NULL, "
            "'{}', '[]', '{}')"
        )
        for reference, state in concerns:
            run(
                f"INSERT INTO concerns (reference, received_at, acknowledge_by, state, immediate_danger, {everywhere}, "
                f"sealed, added_at, overdue_told, held) VALUES ('{reference}', '2026-01-06 08:00:00.000000', "
                f"'2026-01-07 08:00:00.000000', '{state}', 'no', 'example', 1, NULL, 2, '[\"a\"]', {text}, FALSE, "
                f"{text}, '2026-01-06 13:00:00.000000', FALSE, FALSE)"
            )
        for reference, number, hour in added:
            run(
                "INSERT INTO additions (reference, number, received_at, recipients, sealed) VALUES "
                f"('{reference}', {number}, '2026-01-06 {hour:02}:00:00.125000', '[\"a\"]', {text})"
            )
        for number, (reference, act, hour) in enumerate(acts, start=1):
            run(
                "INSERT INTO disclosures VALUES "
                f"('{reference}', {number}, '2026-01-06 {hour:02}:00:00.000000', 'desk', '{act}', '-', '', '-', '-')"
            )
        run(f"UPDATE additions SET sealed = NULL WHERE reference = '{ERASED}'")
        run(f"UPDATE concerns SET sealed = NULL, erased_at = '2026-01-06 14:00:00' WHERE reference = '{ERASED}'")


def test_what_was_added_before_counts_as_acknowledged_by_the_record_and_otherwise_waits(
    empty: Engine, tmp_path: Path
) -> None:
    make_first_release(empty)
    fill_as_released(empty)
    kept = "SELECT reference, number, received_at, recipients, sealed FROM additions"
    concerns = "SELECT reference, state, sealed, acknowledge_by, added_at, erased_at FROM concerns"
    acts = "SELECT * FROM disclosures WHERE act <> 'seal_recorded'"
    before = [plain(rows(empty, question)) for question in (kept, concerns, acts)]

    assert migrate_schema(empty, tmp_path) == (FIRST, NEWEST)

    after = [plain(rows(empty, question)) for question in (kept, concerns, acts)]
    found = rows(empty, "SELECT reference, number, acknowledged_at, acknowledge_by FROM additions")
    assert after == before
    assert [(reference, number, seen and str(seen)[:16]) for reference, number, seen, _ in found] == [
        (ERASED, 1, None),
        (WAITING, 1, None),
        (LATER, 1, "2026-01-06 10:00"),
        (LATER, 2, "2026-01-06 12:00"),
        (LATER, 3, None),
        (SEEN, 1, "2026-01-06 10:00"),
    ]
    assert {str(due)[:23] for *_, due in found} == {f"2026-01-07 {hour}:00:00.125" for hour in ("09", "11", "13")}
    inbox = "SELECT reference, additions_waiting, waiting, addition_acknowledge_by IS NULL FROM concerns"
    assert [(reference, count, rank, bool(none)) for reference, count, rank, none in rows(empty, inbox)] == [
        (ERASED, 0, 1, True),
        (WAITING, 1, 0, False),
        (LATER, 1, 0, False),
        (SEEN, 0, 1, True),
    ]
    with Session(empty) as session:
        assert count_additions(session, now=A_TUESDAY) == {"additions_waiting": 2, "additions_overdue": 2}
