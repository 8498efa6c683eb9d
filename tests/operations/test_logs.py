"""Logs: one JSON object a line, fields of a fixed list, and not one word that anybody sent."""

import io
import json
import logging
import subprocess
import sys
import threading
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.logs import ALLOWED, Log
from tests.support.concerns import raise_concern, token_of
from tests.support.live import environment_for
from tests.support.log_lines import Lines
from tests.support.loops import for_each
from tests.support.prepared import copy_prepared

pytestmark = pytest.mark.any_database

CANARY = "Canary-Alex-Example"


def a_defect() -> None:
    raise RuntimeError(f"the narrative was {CANARY}")


def test_a_field_that_is_not_on_the_list_is_left_out(lines: Lines) -> None:
    Log(__name__).info("concern_kept", status=201, narrative=CANARY, reporter={"name": CANARY})

    (line,) = lines()
    assert line["event"] == "concern_kept"
    assert set(line) == {"event", "status", "level", "timestamp", "logger"}
    assert set(line) < ALLOWED


@pytest.mark.parametrize("name", ["uvicorn.error", "sqlalchemy.engine.Engine", "py.warnings", "a.library"])
def test_a_library_line_keeps_its_words_without_the_values(lines: Lines, name: str) -> None:
    logging.getLogger(name).warning("INSERT INTO concerns %s %r", CANARY, {"narrative": CANARY}, extra={"row": CANARY})

    (line,) = lines()
    assert line["event"] == "INSERT INTO concerns"
    assert set(line) == {"event", "level", "timestamp", "logger"}
    assert CANARY not in str(line)


@pytest.mark.parametrize(
    ("template", "values", "words"),
    [
        ("Started server process [%d]", (7,), "Started server process"),
        ("Uvicorn on %s://%s:%d (Press CTRL+C to quit)", (CANARY, CANARY, 7), "Uvicorn on (Press CTRL+C to quit)"),
        ("Failed to export %s batch code: %s, reason: %s", (CANARY,) * 3, "Failed to export batch code: reason"),
        ("Failed to export %s batch due to timeout.", (CANARY,), "Failed to export batch due to timeout."),
        ("%5.1f %% of '%s'", (7, CANARY), "% of"),
        ("100 %d without a value", (), "100 %d without a value"),
    ],
)
def test_a_library_line_has_no_gaps_for_missing_values(
    lines: Lines, template: str, values: tuple[Any, ...], words: str
) -> None:
    logging.getLogger("a.library").warning(template, *values)

    assert [line["event"] for line in lines()] == [words]


def test_an_exception_in_a_library_line_gives_only_type_and_place(lines: Lines) -> None:
    try:
        a_defect()
    except RuntimeError:
        logging.getLogger("a.library").exception("it failed", stack_info=True)

    (line,) = lines()
    assert line["error"] == "RuntimeError"
    assert line["frames"][-1].endswith(" a_defect")
    assert CANARY not in str(line)


def test_a_chained_exception_reveals_the_words_of_neither(lines: Lines) -> None:
    try:
        try:
            a_defect()
        except RuntimeError as defect:
            raise ValueError(CANARY) from defect
    except ValueError as error:
        logging.getLogger("a.library").error("it failed", exc_info=error)

    (line,) = lines()
    assert line["error"] == "ValueError"
    assert CANARY not in str(line)


def test_what_asyncio_tells_of_an_unread_failure_holds_none_of_its_words(lines: Lines) -> None:
    told = f"Task exception was never retrieved\nfuture: <Task finished exception=RuntimeError('{CANARY}')>"
    logging.getLogger("asyncio").error(told)

    (line,) = lines()
    assert line["event"] == "Task exception was never retrieved"
    assert CANARY not in str(line)


def test_a_line_that_cannot_be_written_is_not_printed_instead(
    lines: Lines, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shut = io.StringIO()
    shut.close()
    monkeypatch.setattr(logging.getLogger().handlers[0], "stream", shut)

    logging.getLogger("a.library").warning("INSERT %s", CANARY)
    Log(__name__).warning("concern_kept", narrative=CANARY)

    assert lines() == []
    assert CANARY not in capsys.readouterr().err


def test_a_request_line_has_the_route_template_never_the_path(lines: Lines, client: TestClient) -> None:
    receipt = raise_concern(client)
    lines()
    client.get(f"/v1/concerns/{receipt['reference']}", headers=token_of(receipt))

    (line,) = [line for line in lines() if line["event"] == "request"]
    assert line["route"] == "/v1/concerns/{reference}"
    assert (line["method"], line["status"]) == ("GET", 200)
    assert set(line) == {"event", "request_id", "method", "route", "status", "milliseconds"} | {
        "level",
        "timestamp",
        "logger",
    }
    assert receipt["reference"] not in str(line)
    assert receipt["status_token"] not in str(line)


@for_each(
    ("method", "path"),
    product(
        ["GET", "POST", "DELETE", "CANARY"],
        ["/Canary", "/v1/concerns/Canary", "/v1/guides/Canary?Canary=Canary", "/v1/Canary/x"],
    ),
)
def test_no_part_of_a_request_is_in_its_line(lines: Lines, client: TestClient, method: str, path: str) -> None:
    client.request(method, path, headers={"X-Canary": "Canary", "User-Agent": "Canary", "Referer": "Canary"})

    requests = [line for line in lines() if line["event"] == "request"]
    assert len(requests) == 1
    assert "canary" not in str(requests).lower()


def test_every_request_has_its_own_id_in_answer_and_log(lines: Lines, client: TestClient) -> None:
    answers = [client.get("/v1", headers={"X-Request-ID": CANARY}) for _ in range(3)]

    told = [line["request_id"] for line in lines() if line["event"] == "request"]
    assert told == [answer.headers["X-Request-ID"] for answer in answers]
    assert len(set(told)) == 3
    assert CANARY not in told


def test_the_server_s_own_line_with_the_caller_s_address_is_off(lines: Lines) -> None:
    logging.getLogger("uvicorn.access").info('%s - "%s"', "192.0.2.7", CANARY)

    assert lines() == []


def test_a_line_less_severe_than_the_setting_is_not_written(lines: Lines) -> None:
    logging.getLogger("sqlalchemy.engine.Engine").debug("SELECT")
    logging.getLogger().setLevel("WARNING")
    Log(__name__).info("looked")

    assert lines() == []


def test_an_uncaught_error_is_one_line_without_its_words(lines: Lines, capfd: pytest.CaptureFixture[str]) -> None:
    thread = threading.Thread(target=a_defect)
    thread.start()
    thread.join()
    try:
        a_defect()
    except RuntimeError as defect:
        sys.excepthook(RuntimeError, defect, defect.__traceback__)
        caught = SimpleNamespace(exc_value=defect, err_msg=CANARY, object=CANARY)
        sys.unraisablehook(caught)

    logged = lines()
    assert [line["event"] for line in logged] == ["uncaught_in_thread", "uncaught", "uncaught_unraisable"]
    assert {line["error"] for line in logged} == {"RuntimeError"}
    assert all(line["frames"][-1].endswith(" a_defect") for line in logged)
    assert CANARY not in str(logged) + capfd.readouterr().err


@pytest.mark.slow
def test_a_defective_command_writes_one_line_without_its_words(tmp_path: Path) -> None:
    copy_prepared(tmp_path / "data")
    program = (
        "import app.cli.events.webhooks as it\n"
        f"def fail(*_, **__): raise RuntimeError('{CANARY}')\n"
        "it.list_webhooks = fail\n"
        "from app.cli import main; main()\n"
    )
    command = [sys.executable, "-c", program, "webhooks", "list", "--data-dir", str(tmp_path / "data")]

    done = subprocess.run(command, capture_output=True, text=True, env=environment_for(tmp_path / "data"), check=False)

    assert done.returncode == 1
    (line,) = [json.loads(line) for line in done.stderr.splitlines()]
    assert (line["event"], line["error"]) == ("uncaught", "RuntimeError")
    assert CANARY not in done.stderr + done.stdout
