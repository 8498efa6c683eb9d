"""`guidance due`: what is overdue, due on its day, due soon, and has no day; with the team that looks after it."""

import datetime as dt
import json
from pathlib import Path

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient
from typer.testing import CliRunner

from app.cli.commands import app
from app.cli.guides import due as command
from app.http.context import AppContext
from tests.support.clock import A_TUESDAY
from tests.support.publishing import SLUG, publish_next

pytestmark = [pytest.mark.any_database, pytest.mark.slow]

TODAY = A_TUESDAY.date()
DAYS = {"overdue": -1, "today": 0, "in-sixty-days": 60, "in-sixty-one-days": 61}


@pytest.fixture
def data_dir(client: TestClient, service: FastAPI, monkeypatch: pytest.MonkeyPatch) -> Path:  # noqa: ARG001  # started
    """A folder with a guide for each state, beside the first guide, which names no day."""
    for guide, days in DAYS.items():
        owner = None if guide == "today" else "Example Team"
        publish_next(service, guide=guide, review_by=(TODAY + dt.timedelta(days=days)).isoformat(), owner=owner)
    monkeypatch.setattr(command, "utc_now", lambda: A_TUESDAY)
    context: AppContext = service.state.context
    return context.settings.data_dir


def due(data_dir: Path, *options: str) -> list[str]:
    """Return the lines of the guides."""
    return [line for line in due_lines(data_dir, *options) if not line.startswith("statement ")]


def due_lines(data_dir: Path, *options: str) -> list[str]:
    result = CliRunner().invoke(app, ["due", *options, "--data-dir", str(data_dir)])
    assert result.exit_code == 0
    return (result.stdout or result.stderr).splitlines()


def test_each_state_of_a_review_has_its_words(data_dir: Path) -> None:
    assert due(data_dir) == [
        f"{SLUG}\tedition 1\tno day set\tno owner",
        f"overdue\tedition 1\toverdue since {TODAY - dt.timedelta(days=1)}\tExample Team",
        f"today\tedition 1\tdue by {TODAY}\tno owner",
        f"in-sixty-days\tedition 1\tdue by {TODAY + dt.timedelta(days=60)}\tExample Team",
    ]


def test_the_notice_is_as_long_as_it_is_said(data_dir: Path) -> None:
    assert [line.split("\t")[0] for line in due(data_dir, "--within", "0")] == [SLUG, "overdue", "today"]
    assert "in-sixty-one-days" in "".join(due(data_dir, "--within", "61"))


def test_programs_get_days_and_owners_as_data(data_dir: Path) -> None:
    (first, second, *_, last) = json.loads("\n".join(due(data_dir, "--json")))

    assert first == {"guide": SLUG, "edition": 1, "review_by": None, "owner": None}
    assert second["review_by"] == (TODAY - dt.timedelta(days=1)).isoformat()

    assert last.keys() == {"statement", "verified_on", "recheck_by", "source"}


def test_after_the_guides_come_the_statements_about_the_law_that_nobody_compared(data_dir: Path) -> None:
    lines = due_lines(data_dir)

    first = next(line for line in lines if line.startswith("statement "))
    assert first.split("\t")[0::2] == ["statement duty-to-children", "never compared"]
    assert not any("accessibility-level" in line for line in lines)
    assert "compare by 2027-11-25" in next(
        line for line in due_lines(data_dir, "--within", "400") if "accessibility-level" in line
    )


def test_due_refuses_a_folder_without_a_database(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["due", "--data-dir", str(tmp_path / "none")])

    assert result.exit_code == 1
    assert "there is no database" in str(result.exception)
