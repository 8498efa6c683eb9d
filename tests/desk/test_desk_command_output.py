"""The desk's commands print JSON or lines for people, write files, and refuse in one sentence."""

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.models.access.roles import Role
from app.services.concerns.keys import create_identity
from tests.support.clock import A_TUESDAY
from tests.support.command import Finished, guidance
from tests.support.live import LiveServer

pytestmark = [pytest.mark.slow, pytest.mark.any_database]  # a server in a process of its own

ROBIN = "Robin Example"
BODY = "Example Council"
WORDS = "Alex Example was collected from school by an adult whom staff do not know."
REFUSED, MISUSED = 1, 2
"""The exit status of what the service does not do, and of a command that cannot be."""


@dataclass(frozen=True)
class Worker:
    """A worker with a key, the identity of the team, a folder, and a server with one concern."""

    server: LiveServer
    folder: Path
    key: str
    reference: str

    def run(self, *words: str | Path, key: str | None = None) -> Finished:
        return guidance("desk", *words, DESK_URL=self.server.url, DESK_KEY=key or self.key)

    @property
    def identity(self) -> tuple[str, Path]:
        return "--identity", self.server.data_dir / "development-identity.txt"


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    folder = tmp_path_factory.mktemp("worker")
    with LiveServer(folder / "data") as server:
        concern = {
            "immediate_danger": "no",
            "reporter": {"kind": "professional"},
            "children": [{}],
            "concern": {"narrative": WORDS},
        }
        with server.client() as http:
            receipt = http.post("/v1/concerns", json=concern).json()
        yield Worker(server, folder, key_of(server, Role.LEAD, ROBIN), receipt["reference"])


def key_of(server: LiveServer, role: Role, person: str) -> str:
    name = f"{person.split(maxsplit=1)[0].lower()}-{role}"
    added = ("clients", "add", name, "--role", role, "--person", person, "--data-dir", server.data_dir)
    return guidance(*added).stdout.strip()


def answer(done: Finished) -> Any:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_ask_hand_over_and_confirm_print_json_or_one_line(worker: Worker) -> None:
    question = worker.folder / "question.txt"
    question.write_text("Which school does Alex Example go to?")
    to = create_identity(worker.folder / "neighbour.txt", at=A_TUESDAY)
    hand_over = ("hand-over", worker.reference, "--to", to, "--body", BODY, "--reason", "Moved.", *worker.identity)
    theirs = worker.folder / "theirs.txt"
    theirs.write_text("a.b.c\n")

    sent = answer(worker.run("ask", worker.reference, "--message-file", question, "--json"))
    sent_again = worker.run("ask", worker.reference, "--message-file", question)
    handed = answer(worker.run(*hand_over, "--out", worker.folder / "first.age", "--json"))
    handed_again = worker.run(*hand_over, "--out", worker.folder / "second.age")
    confirmed = answer(worker.run("confirm", worker.reference, "1", theirs, "--json"))
    confirmed_again = worker.run("confirm", worker.reference, "2", theirs)

    assert (sent["number"], "sealed" in sent) == (1, False)
    assert (handed["number"], handed["body"], handed["reason"], handed["recipient"]) == (1, BODY, "Moved.", to)
    assert handed["receipt"] == (worker.folder / "first.age.receipt").read_text().strip()
    assert (confirmed["number"], confirmed["their_receipt"]) == (1, "a.b.c")
    assert [each.stdout for each in (sent_again, handed_again, confirmed_again)] == [
        f"{worker.reference}: message 2 sent\n",
        f"{worker.reference}: hand-over 2 to {BODY}, in {worker.folder / 'second.age'}\n",
        f"{worker.reference}: hand-over 2 confirmed\n",
    ]


def test_open_prints_json_and_export_prints_its_entry_or_one_line(worker: Worker) -> None:
    first, second = worker.folder / "first.pdf", worker.folder / "second.pdf"

    opened = [answer(worker.run("open", worker.reference, *worker.identity, *more)) for more in ((), ("--json",))]
    exported = answer(worker.run("export", worker.reference, *worker.identity, "--out", first, "--json"))
    again = worker.run("export", worker.reference, *worker.identity, "--out", second, "--with-notes")

    assert opened[0] == opened[1]
    assert opened[0]["submission"]["concern"]["narrative"] == WORDS
    assert (exported["by"].rpartition("/")[2], exported["notes"]) == (ROBIN, False)
    assert exported["signature"].encode() in first.read_bytes()
    with worker.server.client() as http:
        (worker.folder / "jwks.json").write_text(http.get("/.well-known/jwks.json").text)
    assert guidance("export", "verify", first, "--jwks", worker.folder / "jwks.json").returncode == 0
    assert again.stdout == f"{worker.reference}: exported to {second}, with the desk's notes\n"
    assert [each.stat().st_mode & 0o077 for each in (first, second)] == [0, 0]


def test_an_export_that_fails_says_why_once_and_writes_no_file(worker: Worker) -> None:
    out, taken = worker.folder / "none.pdf", worker.folder / "taken.pdf"
    taken.write_text("mine")
    create_identity(worker.folder / "other.txt", at=A_TUESDAY)
    other = ("--identity", worker.folder / "other.txt")
    reader = key_of(worker.server, Role.READER, "Sam Example")
    export = ("export", worker.reference)

    refused = {
        "the file exists": worker.run(*export, *worker.identity, "--out", taken),
        "not a valid reference": worker.run("export", "0000", *worker.identity, "--out", out),
        "holds no age identity": worker.run(*export, "--identity", taken, "--out", out),
        "identity": worker.run(*export, *other, "--out", out),
        "The service returned 403.": worker.run(*export, *worker.identity, "--out", out, key=reader),
        "The service returned 401.": worker.run(*export, *worker.identity, "--out", out, key="omg_unknown"),
    }

    for words, done in refused.items():
        assert words in done.stderr, done.stderr
        assert (done.stdout, "Traceback" in done.stderr) == ("", False)
        assert WORDS not in done.stderr
    assert [each.returncode for each in refused.values()] == [MISUSED, MISUSED, REFUSED, REFUSED, REFUSED, REFUSED]
    assert (taken.read_text(), out.exists()) == ("mine", False)


def test_a_lead_restricts_a_concern_and_lifts_it(worker: Worker) -> None:
    restrict = ("restrict", worker.reference, "--reason", "Made up.")

    restricted, lifted = worker.run(*restrict), worker.run(*restrict, "--lift", "--json")
    named, both = (worker.run(*restrict, "--person", "Jo Nobody", *more) for more in ((), ("--lift",)))

    assert restricted.stdout == f"{worker.reference}: restricted to leads\n"
    assert (answer(lifted)["restricted"], answer(lifted)["people"]) == (False, [])
    assert (named.returncode, both.returncode) == (REFUSED, MISUSED)
    assert "nobody of this name reads concerns at the desk" in named.stderr


def test_a_lead_restricts_an_allegation_and_says_that_the_officer_was_told(worker: Worker) -> None:
    again, restrict = ("look-again", worker.reference), ("restrict", worker.reference, "--reason", "Made up.")
    path, headers = f"/v1/desk/concerns/{worker.reference}/look-again", {"Authorization": f"Bearer {worker.key}"}

    restricted = worker.run(*restrict, "--allegation")
    with worker.server.client() as http:
        due = http.get(path, headers=headers).json()["officer"]
    told = worker.run(*again, "--whose", "officer", "--no-day")
    teams = worker.run(*again, "--day", "2036-12-03", "--json")
    unclear = [worker.run(*again), worker.run(*again, "--day", "2036-12-03", "--no-day")]
    lifted = [worker.run(*restrict, "--lift", *more).returncode for more in (("--allegation",), ())]

    assert restricted.stdout == f"{worker.reference}: restricted to leads\n"
    assert due is not None
    assert told.stdout.split() == ["team", "no", "day", "own", "no", "day", "officer", "no", "day"]
    assert answer(teams)["team"] == "2036-12-03"
    assert [*(each.returncode for each in unclear), *lifted] == [MISUSED, MISUSED, MISUSED, 0]


def test_statistics_are_printed_or_written_as_csv_for_those_who_may_audit(worker: Worker) -> None:
    out = worker.folder / "statistics.csv"
    printed, written = worker.run("statistics"), worker.run("statistics", "--out", out)
    refused = worker.run("statistics", key=key_of(worker.server, Role.WORKER, "Kim Example"))

    rows = list(csv.DictReader(printed.stdout.splitlines()))
    assert list(rows[0]) == list(csv.DictReader(out.read_text().splitlines()).fieldnames or ())
    assert {row["concerns"][:12] for row in rows} == {"fewer than 5"}
    assert (printed.returncode, written.returncode, written.stdout) == (0, 0, "")
    assert (refused.returncode, refused.stdout) == (REFUSED, "")
    assert "The service returned 403." in refused.stderr


def test_people_are_listed_with_role_and_last_use_even_after_leaving(worker: Worker) -> None:
    folder = ("--data-dir", worker.server.data_dir)
    invited = [guidance("desk", "invite", name, "--role", "worker", *folder) for name in ("Alex Example", "Jo Example")]
    left, unknown = (guidance("desk", "leave", name, *folder) for name in ("Jo Example", "Nobody Example"))

    listed, as_json = guidance("desk", "people", *folder), answer(guidance("desk", "people", "--json", *folder))

    alex, jo = ({name: each[name] for name in each if not name.endswith("_at")} for each in as_json)
    assert alex == {"name": "Alex Example", "role": "worker", "provider": None, "passkeys": 0}
    assert jo["name"] == "Jo Example"
    assert [(each["last_seen_at"], each["left_at"] is None) for each in as_json] == [(None, True), (None, False)]
    assert listed.stdout.splitlines() == [
        "Alex Example\tworker\t0 passkeys\tnot signed in",
        f"Jo Example\tleft {as_json[1]['left_at']}\t0 passkeys\tnot signed in",
    ]
    assert [each.stdout.startswith("http") and each.stdout.count("\n") == 1 for each in invited] == [True, True]
    assert "0 concerns are unassigned" in left.stdout
    assert (unknown.returncode, unknown.stdout, "Traceback" in unknown.stderr) == (REFUSED, "", False)
