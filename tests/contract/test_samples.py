"""The samples of the documents work: what they show is run, word for word, against a live server."""

import os
import re
import shutil
import sys
from collections.abc import Iterator

import pytest

from app.config import parse_settings
from tests.support.live import LiveServer
from tests.support.loops import by_day, for_each
from tests.support.samples import (
    PREAMBLE,
    ROOT,
    documents,
    is_test,
    named_tests,
    run_sample,
    runnable,
    samples_in,
    unfenced_commands,
)

GOES_ON_FROM = {"docs/how-to/keys-and-sealed-concerns.md": ["README.md"]}
"""A document whose commands use what the commands of others made."""
COMMANDS = {"README.md": ("make serve", "make test")}
"""Indented commands, one of which is how this suite was started, and the other what `live` starts."""
AS_ABOVE = "as above"
BY_DAY = ("README.md", "docs/reference/conventions.md")
"""Documents whose commands also run by day: they are read first."""
RUN_BY = re.compile(r"^ *<!-- run by (.*) -->$", flags=re.MULTILINE)
WORDS = {
    "README.md": ['"indicators":[', '"kept":false', '"state":"received"'],
    "docs/how-to/keys-and-sealed-concerns.md": [
        "Alex Example was collected",
        '"state":"acknowledged"',
        "hand-over 1 to Example Council",
        "complete and unchanged",
    ],
}
"""What the samples of a document print, in this order."""


def need(*programs: str) -> None:
    """Skip the test where a program is absent; in continuous integration, fail."""
    for program in programs:
        if shutil.which(program) is None:
            if os.environ.get("CI") == "true":
                pytest.fail(f"{program} is not installed, and continuous integration must have it")
            pytest.skip(f"{program} is not installed")


def with_samples(language: str) -> list[str]:
    return [document for document in documents() if runnable(document, language)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """One server for the samples that are independent of what others did."""
    with LiveServer(tmp_path_factory.mktemp("samples") / "data") as server:
        yield server


@pytest.mark.any_database
@pytest.mark.slow
@pytest.mark.parametrize("document", with_samples("python"))
def test_the_python_of_a_document_works(running: LiveServer, document: str) -> None:
    for sample in runnable(document, "python"):
        run_sample([sys.executable, "-W", "error", "-c"], running, sample)


@pytest.mark.any_database
@pytest.mark.slow
@pytest.mark.parametrize("document", with_samples("js"))
def test_the_javascript_of_a_document_works(running: LiveServer, document: str) -> None:
    need("node")
    for sample in runnable(document, "js"):
        run_sample(["node", "--input-type=module", "--eval"], running, sample)


@pytest.mark.any_database
@pytest.mark.slow
@pytest.mark.parametrize(
    "document",
    by_day(with_samples("sh"), BY_DAY),
)
def test_the_commands_of_a_document_work(running: LiveServer, document: str) -> None:
    need("curl", "age", "openssl")
    commands = "\n".join(text for each in [*GOES_ON_FROM.get(document, ()), document] for text in runnable(each, "sh"))

    printed = run_sample(["bash", "-c"], running, PREAMBLE + commands)

    assert printed
    places = [printed.find(words) for words in WORDS.get(document, ())]
    assert -1 not in places, printed
    assert places == sorted(places)


@pytest.mark.parametrize("document", with_samples("env"))
def test_the_settings_of_a_document_are_accepted(document: str) -> None:
    """Each block is read with those before it, as the document builds them up."""
    values: dict[str, str] = {}
    for sample in runnable(document, "env"):
        for line in filter(None, sample.splitlines()):
            name, _, value = line.partition("=")
            values[name] = value.strip("'")
        assert parse_settings(values)


@for_each("document", documents())
def test_every_sample_is_run_or_says_why_it_is_not(document: str) -> None:
    silent = [each.text for each in samples_in(document) if not each.is_tested and not each.reason]
    loose = [line.strip() for line in unfenced_commands(document)]

    assert silent == []
    assert [line for line in loose if not line.startswith(COMMANDS.get(document, ()) or "\0")] == []


@for_each("document", documents())
def test_every_test_that_the_reason_of_a_sample_names_is_there(document: str) -> None:
    before = ""
    for sample in samples_in(document):
        reason = before if sample.reason == AS_ABOVE else sample.reason
        assert reason != AS_ABOVE, "nothing is above"
        assert [each for each in named_tests(reason) if not is_test(each)] == []
        before = reason
    run_elsewhere = RUN_BY.findall((ROOT / document).read_text(encoding="utf-8"))
    assert [each for each in run_elsewhere if not is_test(each)] == []


def test_a_reason_that_names_no_test_that_is_there_would_be_found() -> None:
    here = "tests/contract/test_samples.py"

    assert named_tests(f"it needs a server; {here}::test_samples_are_found runs it, or test_site.py does") == [
        f"{here}::test_samples_are_found",
        "test_site.py",
    ]
    assert [is_test(each) for each in (here, f"{here}::test_samples_are_found", "test_site.py")] == [True] * 3
    assert [is_test(each) for each in ("tests/test_gone.py", f"{here}::test_gone", "test_gone.py")] == [False] * 3


def test_samples_are_found() -> None:
    assert len(with_samples("sh")) > 5
    assert "README.md" in with_samples("python")
    assert with_samples("js")
    assert with_samples("env")
