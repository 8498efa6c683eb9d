"""The documents hold together: links lead to files, named files and targets are there."""

import re
import shutil
import subprocess
import tomllib
from functools import cache
from pathlib import Path

import pytest
from fastapi import FastAPI
from sqlmodel import SQLModel
from starlette.testclient import TestClient

from app.config import Settings
from bench.report import SPEED, as_markdown, recorded
from docs_site.outside import DOCUMENTS as DOCUMENTS_OF_THE_SITE
from tests.support.command import every_command
from tests.support.loops import for_each
from tests.support.named import (
    BLOCK,
    QUERY,
    ROUTE,
    Routes,
    command_faults,
    inline_code,
    program,
    setting_faults,
    shell_faults,
    value_faults,
)
from tests.support.samples import is_test, named_tests
from tests.support.service import a_service

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "*client/*.md", "app/extensions/*/*.md") for path in ROOT.glob(pattern)
)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^```.*?^```$|^ {4,}[^\n]*$|`[^`\n]*`", flags=re.MULTILINE | re.DOTALL)
FOLDERS = (
    "app|bench|client|deploy|desk_script|docs|docs_site|examples|requirements|seed|speakers|supply|tests|trial_seed|"
    "web_client"
)
NAMED_FILE = re.compile(rf"`((?:{FOLDERS})/[^`\s{{}}<>*:]*|[A-Z]+\.md)[`: ]")
CURRENT = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]
"""The documents that tell of the present."""
COMMANDS = ROOT / "docs" / "reference" / "commands.md"
ROW = re.compile(r"^\| `guidance ([a-z][a-z-]*(?: [a-z][a-z-]*)*)[^|]*\|(.*)\|$", flags=re.MULTILINE)
OPTION = re.compile(r"`(--[a-z-]+)[^`]*`")
ADDRESSED = re.compile(r"(?:http://127\.0\.0\.1:8000|\$URL|https://guidance\.example)(/[\w./{}$-]+)")
MODULES = [path.relative_to(ROOT).as_posix() for top in FOLDERS.split("|") for path in (ROOT / top).rglob("*.py")]
ASSIGNED = re.compile(r"^ *(?:export )?(GUIDANCE_[A-Z_]+=(?:'[^']*'|[^\s$\"]+))(?= |$)", flags=re.MULTILINE)
MISSPELT = {"GUIDANCE_SEALTO"}
"""What a document shows as a mistake."""
OF_OTHERS = {
    "/v2": "a later version",
    "/v1/traces": "of a collector",
    "/.well-known/openid-configuration": "of a provider",
}
ARCHITECTURE = ROOT / "docs" / "architecture.md"
MEASURED = re.compile(
    r"\d[\d,.]*(?=[ -]?(?:µs|ms|s|MB|GB|kB|KB|%|times|(?:milli|micro)?seconds?|megabytes?|minutes?)\b)"
)
OF_ANOTHER_RUN = re.compile(
    r"^## (?:A week in an hour|Recognising a child)$.*?(?=^## |\Z)", flags=re.MULTILINE | re.DOTALL
)


def name_of(document: Path) -> str:
    """Return the document's path in the repository."""
    return document.relative_to(ROOT).as_posix()


def without_code(document: Path) -> str:
    return CODE.sub("", document.read_text(encoding="utf-8"))


def standing(document: Path) -> str:
    """Return what the document says is there: without what a decision refused, and what a recipe adds."""
    text = document.read_text(encoding="utf-8")
    return re.sub(r"^## (?:Refused|How to add \.\.\.)$.*?(?=^## |\Z)", "", text, flags=re.MULTILINE | re.DOTALL)


def routes_in(text: str) -> list[str]:
    """Return the routes between backticks, and those that the commands of blocks call."""
    codes = [code for code in inline_code(text) if ROUTE.fullmatch(code) or QUERY.fullmatch(code)]
    return [*codes, *ADDRESSED.findall(text)]


@cache
def options_of_commands() -> set[str]:
    params = [each for _, command in [("", program()), *every_command()] for each in command.params]
    return {"--help", *(name for each in params for name in (*each.opts, *each.secondary_opts))}


def slug(heading: str) -> str:
    """Return the anchor of a heading, as hosts of repositories make it."""
    return re.sub(r"[^\w\- ]", "", heading.replace("`", "").strip().lower()).replace(" ", "-")


def anchors(document: Path) -> set[str]:
    return {slug(heading) for heading in re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)}


def broken_links(document: Path) -> list[str]:
    broken = []
    for link in LINK.findall(without_code(document)):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (document.parent / path).resolve() if path else document
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    return broken


@for_each("document", DOCUMENTS)
def test_every_relative_link_leads_to_an_existing_file_and_heading(document: Path) -> None:
    assert broken_links(document) == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    document = tmp_path / "page.md"
    document.write_text("# A title\n[right](page.md#a-title) [wrong](gone.md) [also wrong](#gone) `[code](gone.md)`\n")

    assert broken_links(document) == ["gone.md", "#gone"]


def test_a_loop_over_cases_reports_each_that_fails() -> None:
    @for_each("number", [1, 2, 3, 4])
    def is_even(number: int) -> None:
        assert number % 2 == 0

    with pytest.raises(ExceptionGroup, match="2 of 4 cases fail") as failed:
        is_even()

    assert [each.__notes__ for each in failed.value.exceptions] == [["for (1,)"], ["for (3,)"]]


def test_every_document_can_be_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    waiting = [ROOT / "README.md"]
    while waiting:
        document = waiting.pop()
        if document in reached or document.suffix != ".md":
            continue
        reached.add(document)
        links = [link.partition("#")[0] for link in LINK.findall(without_code(document)) if ":" not in link]
        waiting += [(document.parent / link).resolve() for link in links if link]

    assert [path.relative_to(ROOT).as_posix() for path in DOCUMENTS if path not in reached] == []


@pytest.mark.slow
@for_each("document", CURRENT)
def test_every_command_and_make_target_in_a_document_exists_with_its_options(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    blocks = re.findall(r"^( *)```(?:sh|bash|console)[^\n]*\n(.*?)^\1```$", text, flags=re.MULTILINE | re.DOTALL)
    indented = re.findall(r"^ {4,}(?:guidance|make) .*$", BLOCK.sub("", text), flags=re.MULTILINE)
    inline = [code for code in inline_code(text) if re.search(r"\b(?:guidance|make) ", code)]

    scripts = [*(block for _, block in blocks), *indented, *inline]

    assert [fault for script in scripts for fault in shell_faults(script)] == []


@pytest.mark.slow
@for_each("document", CURRENT)
def test_every_setting_of_a_document_is_there_and_takes_its_value(document: Path) -> None:
    text = standing(document)

    assert {*setting_faults(text)} - MISSPELT == set()
    assert list(value_faults([*inline_code(text), *ASSIGNED.findall(text)])) == []


@pytest.mark.slow
def test_every_route_of_the_documents_is_there_with_its_query(service: FastAPI) -> None:
    routes = Routes(service)
    named = {code: name_of(document) for document in CURRENT for code in routes_in(standing(document))}

    missing = {code: named[code] for code in routes.faults(named) if code not in OF_OTHERS}

    assert len(named) > 150
    assert missing == {}
    assert OF_OTHERS.keys() - named.keys() == set()


@for_each("document", CURRENT)
def test_every_option_in_a_document_belongs_to_a_command(document: Path) -> None:
    known = options_of_commands()
    named = OPTION.findall(BLOCK.sub("", document.read_text(encoding="utf-8")))

    assert [name for name in named if name not in known] == []


def test_the_row_of_a_command_names_its_own_options() -> None:
    rows = ROW.findall(COMMANDS.read_text(encoding="utf-8"))
    named = [[*name.split(), option] for name, cell in rows for option in OPTION.findall(cell)]

    assert len(rows) > 50
    assert len(named) > 30
    assert [fault for words in named for fault in command_faults(words)] == []


def test_every_file_that_the_site_takes_from_elsewhere_is_there() -> None:
    assert [file for file in DOCUMENTS_OF_THE_SITE if not (ROOT / file).is_file()] == []


@for_each("document", DOCUMENTS)
def test_every_file_that_a_document_names_is_there(document: Path) -> None:
    named = NAMED_FILE.findall(document.read_text(encoding="utf-8"))

    assert [name for name in named if not (ROOT / name).exists() and not (document.parent / name).exists()] == []


@for_each("document", CURRENT)
def test_every_module_and_test_that_a_document_names_is_there(document: Path) -> None:
    codes = inline_code(standing(document))
    modules = [code for code in codes if re.fullmatch(r"[\w/]+\.py", code)]
    tests = [name for code in codes for name in named_tests(code)]

    assert [name for name in modules if not any(f"/{path}".endswith(f"/{name}") for path in MODULES)] == []
    assert [name for name in tests if not is_test(name)] == []


def test_a_missing_command_or_address_in_a_document_is_found(service: FastAPI) -> None:
    shell = """
    make serves VERSION=1 ; make serve ARGS="--prot=9000" PROT=1   # make nothing
    key=$(guidance client add x --test) && A=b guidance clients add x --scope concerns:reed --expires=90d y
    docker run one-minute-guide:0.1.0 guidance serve --ports 1 | guidance desk open
    """
    settings = "`GUIDANCE_SEAL_TO` GUIDANCE_SEELTO `GUIDANCE_OPENID_*` `GUIDANCE_OPEN_*` `GUIDANCE_*`"
    values = ["GUIDANCE_DELIVER=perhaps", "GUIDANCE_OPENID_CLAIMS=a", "GUIDANCE_DELIVER=..."]
    right = ["/v1/guides/{guide}?as_of=", "/cy/...", "?wait=", "/etc/guidance"]
    wrong = ["GET /v1/guides?as_off=", "PUT /v1/guides", "/v1/guide", "?weit="]

    assert [fault.partition(": ")[2] for fault in shell_faults(shell)] == [
        "no such target",
        "no option --prot",
        "no variable PROT",
        "no command client",
        "no --scope concerns:reed",
        "no place for y",
        "no option --ports",
        "no place for 1",
    ]
    assert list(setting_faults(settings)) == ["GUIDANCE_SEELTO", "GUIDANCE_OPEN_*"]
    assert [fault.partition(":")[0] for fault in value_faults(values)] == ["GUIDANCE_DELIVER"]
    assert list(Routes(service).faults([*right, *wrong])) == wrong


@pytest.mark.slow
def test_a_code_list_is_added_as_contributing_shows(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE | re.DOTALL)
    seed = shutil.copytree(ROOT / "seed", tmp_path / "seed")
    (seed / "code-lists" / "agency-kind.yaml").write_text(block)

    with TestClient(a_service(data_dir=tmp_path / "data", seed_dir=seed)) as client:
        answer = client.get("/v1/code-lists/agency-kind").json()

    assert [each["code"] for each in answer["codes"]] == ["school", "health"]


def floors_of_the_contract() -> list[set[str]]:
    """Return the floors of the import contract, the highest first."""
    floors, *_others = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    return [set(layer.split(" | ")) for layer in floors["layers"]]


def floors_of_the_picture() -> list[set[str]]:
    """Return the floors that the picture of the architecture shows, the highest first."""
    (picture,) = re.findall(r"^```mermaid\n(.*?)^```$", ARCHITECTURE.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [
        set(re.findall(r"\w+", floor)) for floor in re.findall(r'^ *floor\d+\["<b>(.*?)</b>', picture, re.MULTILINE)
    ]


def test_the_picture_shows_the_floors_of_the_import_contract() -> None:
    assert floors_of_the_picture() == floors_of_the_contract()


def test_the_reference_of_speed_shows_the_recorded_run() -> None:
    assert as_markdown(recorded()) in SPEED.read_text()


@for_each("document", [ROOT / "README.md", SPEED, ARCHITECTURE])
def test_every_claimed_speed_is_in_the_recorded_run(document: Path) -> None:
    run = as_markdown(recorded())
    claimed = MEASURED.findall(OF_ANOTHER_RUN.sub("", document.read_text()).replace(run, ""))

    assert [figure for figure in claimed if not re.search(rf"(?<![\d.,]){re.escape(figure)}(?![\d]|[.,]\d)", run)] == []


@pytest.mark.slow
def test_every_folder_and_class_that_the_architecture_names_is_there() -> None:
    text, sources = ARCHITECTURE.read_text(), "".join(each.read_text() for each in (ROOT / "app").rglob("*.py"))
    folders = re.findall(r"^\| `([a-z_/]+)/` \|", text, flags=re.MULTILINE)
    classes = re.findall(r"`([A-Z][a-z]\w+)`", text)

    assert [name for name in folders if not (ROOT / "app" / name).is_dir()] == []
    assert len(classes) > 10
    assert [name for name in classes if not re.search(rf"^class {name}\b", sources, flags=re.MULTILINE)] == []


def test_every_decision_is_in_the_index_and_their_numbers_are_used_once() -> None:
    folder = ROOT / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("[0-9]*.md"))

    rows = re.findall(
        r"^\| \[\d+\]\((\d{4}-[^)]*\.md)\) \|[^|]*\|([^|]*)\|", (folder / "README.md").read_text(), flags=re.MULTILINE
    )

    assert [name for name, _ in rows] == records
    numbers = [int(each) for name, merged in rows for each in [name[:4], *re.findall(r"\d+", merged)]]
    assert len({*numbers}) == len(numbers)


NAMED_DOCUMENT = re.compile(r"\b(docs/[\w/-]+\.md)(?:#([\w-]+))?")
NAMING = (
    "app/**/*.py",
    "seed/**/*.yaml",
    "deploy/**/*",
    "supply/*",
    "web_client/src/*",
    "bench/*.py",
    ".github/**/*.yml",
)
"""Files that send their readers to a document."""


def test_every_document_that_code_and_samples_name_is_there_with_its_heading() -> None:
    sources = [path for pattern in NAMING for path in ROOT.glob(pattern) if path.is_file()]
    texts = (path.read_bytes().decode("utf-8", errors="ignore") for path in sources)
    named = {found for text in texts for found in NAMED_DOCUMENT.findall(text)}

    assert len(named) > 15
    assert [name for name, _ in named if not (ROOT / name).is_file()] == []
    assert [f"{name}#{heading}" for name, heading in named if heading and heading not in anchors(ROOT / name)] == []


LONGEST_RECORD = 600
"""Words of a decision: how it came is in git."""
MOST_DOCUMENTS, MOST_WORDS = 60, 60_000
"""What one person reads in three hours. Bars of tables and samples that run are no words."""


@for_each("record", sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md")))
def test_a_decision_is_short_and_says_what_was_refused(record: Path) -> None:
    text = record.read_text(encoding="utf-8")

    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == ["Context", "Decision", "Refused", "Consequences"]
    assert len(text.split()) <= LONGEST_RECORD


def test_one_person_can_read_the_documents_in_three_hours() -> None:
    documents = [path for path in DOCUMENTS if path.is_relative_to(ROOT / "docs")]
    texts = [BLOCK.sub("", path.read_text(encoding="utf-8")) for path in documents]

    assert len(documents) <= MOST_DOCUMENTS
    assert sum(len(re.findall(r"\S*\w\S*", text)) for text in texts) <= MOST_WORDS


@pytest.mark.skipif(shutil.which("git") is None or not (ROOT / ".git").exists(), reason="not a git checkout")
def test_every_markdown_file_is_among_the_documents() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()

    assert {ROOT / name for name in listed if (ROOT / name).exists()} == set(DOCUMENTS)


README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
FIRST_SCREEN = 30
LONGEST_README = 140


def test_the_first_screen_says_999_and_how_to_begin() -> None:
    first_screen = "\n".join(README.splitlines()[:FIRST_SCREEN])

    assert first_screen.index("call 999") < first_screen.index("make serve")
    assert {"make serve", "make test"} <= set(re.findall(r"^ {4}(make \w+)", first_screen, flags=re.MULTILINE))


def test_the_readme_is_at_most_140_lines() -> None:
    assert len(README.splitlines()) <= LONGEST_README


NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
THREATS = ROOT / "docs" / "threat-model.md"
HAZARDS = ROOT / "docs" / "explanation" / "safety-case.md"
DATA = ROOT / "docs" / "explanation" / "data-protection.md"
COLUMNS = {
    THREATS: ["threat", "what stops it", "shown by"],
    HAZARDS: ["hazard", "how it could come", "what guards", "what is left to the council", "shown by"],
}
"""Documents in whose tables each row names the tests that show it, and the columns of these tables."""


def rows(document: Path) -> list[list[str]]:
    """Return the rows of the tables with these columns, cell by cell."""
    head = f"| {' | '.join(COLUMNS[document])} |\n|{'---|' * len(COLUMNS[document])}\n"
    tables = document.read_text(encoding="utf-8").split(head)[1:]
    lines = [line for table in tables for line in table.partition("\n\n")[0].splitlines()]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


@for_each("document", [THREATS, HAZARDS])
def test_every_threat_and_hazard_is_told_whole_and_names_a_test(document: Path) -> None:
    told = rows(document)

    assert len(told) > 20
    columns = len(COLUMNS[document])
    assert [row for row in told if len(row) != columns or not all(row) or not NAMED.search(row[-1])] == []


@for_each("document", [THREATS, HAZARDS])
def test_every_test_of_a_threat_or_hazard_is_named_in_one_way(document: Path) -> None:
    text = document.read_text(encoding="utf-8")

    assert len(set(NAMED.findall(text))) > 40
    assert len(re.findall(r"`tests/[\w/]+\.py::", text)) == len(NAMED.findall(text))


def test_the_data_protection_notes_place_every_table_and_period() -> None:
    told = DATA.read_text("utf-8").partition("## What is processed")[2].partition("\n## ")[0]
    table, _, others = told.partition("Tables without personal data: ")
    cells = [line.strip("|").split("|") for line in table.splitlines() if line.startswith("| ")][1:]
    placed, without = {name for row in cells for name in re.findall(r"`(\w+)`", row[3])}, re.findall(r"`(\w+)`", others)

    assert placed.isdisjoint(without)
    assert placed.union(without) == set(SQLModel.metadata.tables)
    periods = {f"GUIDANCE_{name.upper()}" for name in Settings.model_fields if name.startswith("retention_")}
    assert set(re.findall(r"GUIDANCE_RETENTION_\w+", table)) == periods
