"""What names others is marked in the words about one person: the modules of the browser, run by Node.js."""

from typing import Any

import pytest

from tests.support.desk_modules import run_modules

pytestmark = pytest.mark.any_database

IN_BROWSER = """
const { NameFinder, ownPaths, peopleIn, plainWords, redacted, workersIn } = await load("redaction");
const { names, submission, lines, concerns } = given;
const subject = plainWords(names);
const ownIn = (concern) => ownPaths(peopleIn(concern), subject, matching);
const people = peopleIn(submission).filter(({ path }) => !ownIn(submission).includes(path));
const finder = new NameFinder(subject, [...people, ...workersIn(submission)], matching);
const found = lines.map((line) => redacted(line, finder.find(line)).replaceAll("[removed: names another person]", "#"));
console.log(JSON.stringify({ found, own: concerns.map(ownIn), maybe: lines.map((line) => finder.mayBeNames(line)) }));
"""
SUBMISSION: dict[str, Any] = {
    "children": [
        {"given_names": "Alex", "family_name": "Example", "health_visitor": "Wren Oakfield, 01632 960010"},
        {"given_names": "Kit", "family_name": "Example"},
    ],
    "parents_and_carers": [{"name": "Samantha Example"}],
    "others": [{"name": "Łukasz O’Testwick"}, {"name": "Олена"}, {"name": "May Example"}],
    "reporter": {"kind": "professional", "name": "Robin Sample-Jones"},
    "concern": {"people_of_concern": [{"name": "‘Max’"}], "narrative": "..."},
}
LINES = {
    "Alex Example came home late.": "Alex Example came home late.",
    "Alex’s mother is Samantha Example.": "Alex’s mother is #.",
    "Sam said so, and so did Lukasz O'Testwick.": "# said so, and so did #.",
    "Robyn Jones and Олена were there.": "# and # were there.",
    "robin sample-jones rang": "# rang",
    "In May she may go. May Example may too.": "In # she may go. # may too.",
    "Call 07700 900003 or robin@school.example, on 2026-11-24.": "Call # or #, on 2026-11-24.",
    "Mrs Oakley and her uncle Bill Bird; Wren too.": "# and her #; # too.",
    "Kit and Alex went, then Max came.": "# and Alex went, then # came.",
    "They went with Bertie to Exampleton.": "They went with Bertie to Exampleton.",
    "Caller: Zed Hill, 14 Mill Terrace, High Street.": "Caller: Zed Hill, 14 Mill Terrace, High Street.",
    "The council wrote to the school on Monday.": "The council wrote to the school on Monday.",
}
CONCERNS: list[tuple[dict[str, Any], list[str]]] = [
    ({"children": [{"given_names": "Aleks", "family_name": "Exampel"}]}, ["children.0"]),
    ({"children": [{}]}, ["children.0"]),
    ({"children": [{}, {"given_names": "Kit"}]}, []),
    ({"children": [{"family_name": "Example"}, {"given_names": "Alex", "family_name": "Example"}]}, ["children.1"]),
    ({"children": [{}], "reporter": {"name": "Alex Example"}}, ["reporter"]),
    (
        {"children": [{"given_names": "Kit"}], "parents_and_carers": [{"name": "Alex Example"}]},
        ["parents_and_carers.0"],
    ),
]


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    """What the browser's modules find in the lines and in the concerns."""
    concerns = [concern for concern, _ in CONCERNS]
    found: dict[str, Any] = run_modules(
        IN_BROWSER, names="Alex Example", submission=SUBMISSION, lines=list(LINES), concerns=concerns
    )
    return found


@pytest.mark.slow
def test_names_numbers_and_titles_of_others_are_marked(result: dict[str, Any]) -> None:
    assert result["found"] == list(LINES.values())


def test_the_person_is_found_in_each_concern(result: dict[str, Any]) -> None:
    assert result["own"] == [own for _, own in CONCERNS]


def test_a_word_with_a_capital_is_suggested(result: dict[str, Any]) -> None:
    maybe = dict(zip(LINES, result["maybe"], strict=True))

    assert maybe["They went with Bertie to Exampleton."] == ["Bertie", "Exampleton"]
    assert maybe["Alex Example came home late."] == []
    assert maybe["Caller: Zed Hill, 14 Mill Terrace, High Street."] == ["Zed", "Hill", "Mill"]
