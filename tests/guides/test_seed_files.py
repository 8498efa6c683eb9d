"""A fault in a seed file is told with its file, its line and its reason, and all faults are told at once."""

import gc
from pathlib import Path

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

from app.errors import SeedFileError
from app.models.guides.code_lists import CodeList
from app.models.guides.seed_files import FileTree, edition_place, read_seed_file, read_tree
from tests.support.loops import first_by_day, for_each

pytestmark = pytest.mark.any_database

SOUND = """\
name: sex
title: Sex
source:
  title: Children in need census
  publisher: Department for Education
  published: "2026"
status: unverified
codes:
  - code: M
    label: Male
  - code: F
    label: Female
"""


def written(folder: Path, words: str | bytes) -> Path:
    """Keep the words as a seed file."""
    path = folder / "sex.yaml"
    path.write_bytes(words if isinstance(words, bytes) else words.encode("utf-8"))
    return path


def refusal(path: Path) -> SeedFileError:
    with pytest.raises(SeedFileError) as refused:
        read_seed_file(path, CodeList)
    return refused.value


def test_a_sound_file_is_parsed_into_its_model(tmp_path: Path) -> None:
    path = written(tmp_path, SOUND)

    parsed = read_seed_file(path, CodeList)

    assert [entry.code for entry in parsed.codes] == ["M", "F"]


@for_each(
    ("old", "new", "line", "reason"),
    [
        ("title: Sex\n", "title: Sex\ncolour: red\n", 3, "`/colour` is not a key that belongs here"),
        (
            "    label: Male\n",
            "    label: Male\n    lable: Man\n",
            11,
            "`/codes/0/lable` is not a key that belongs here",
        ),
        ('"2026"', "2026", 6, "`/source/published` must be text, in quotes where it looks like something else"),
        ("label: Male\n", 'label: Male\n    historic: "no"\n', 11, "`/codes/0/historic` must be true or false"),
        ("source:\n", "source: 3\nx:\n", 3, "`/source` must be a group of keys"),
        ("codes:\n", "codes: M\nx:\n", 8, "`/codes` must be a list"),
        ("unverified", "perhaps", 7, "`/status` is refused: input should be 'verified' or 'unverified'"),
        ("code: F", "code: M", 8, "`/codes` is refused: every `code` in a list must be different"),
        ("  publisher: Department for Education\n", "", 3, "`/source/publisher` is missing"),
        ("    label: Female\n", "", 11, "`/codes/1/label` is missing"),
        ("title: Sex\n", "", 1, "`/title` is missing"),
        ("title: Sex\n", "title: Sex\ntitle: Sexes\n", 3, "`/title` is a duplicate key"),
        ("    label: Female", "    label: Female\n    label: Woman", 13, "`/codes/1/label` is a duplicate key"),
        ("title: Sex", "7: Sex", 2, "the file has a key that is not plain text"),
        ("title: Sex", "<<: {title: Sex}", 2, "the file has a key that is not plain text"),
        ("title: Sex", "title: &name Sex", 2, "anchors and aliases"),
        ("title: Sex", "title: *name", 2, "anchors and aliases"),
        ("title: Sex", "title: !!str Sex", 2, "tags (`!`) are not used"),
        ("name: sex", "%YAML 1.1\n---\nname: sex", 2, "must be YAML 1.2"),
        ("title: Sex", "title: [Sex", 3, "not YAML: "),
        ("title: Sex", "title: \x07Sex", 2, "not YAML: it has a character that YAML does not allow"),
        ("title: Sex", "...\n---\ntitle: Sex", 3, "not YAML: expected a single document"),
    ],
)
def test_a_fault_is_told_with_its_file_its_line_and_its_reason(
    tmp_path: Path, old: str, new: str, line: int, reason: str
) -> None:
    path = written(tmp_path, SOUND.replace(old, new, 1))

    refused = refusal(path)

    sentences = [f"{fault.line}: {fault.reason}" for fault in refused.faults]
    assert any(sentence.startswith(f"{line}: ") and reason in sentence for sentence in sentences), sentences
    assert f"{path}, line {line}: " in str(refused)


@pytest.mark.slow
@for_each(
    ("content", "reason"),
    [
        ("[" * 60_000, "it is nested deeper than 32 levels"),
        ("{a: " * 60_000, "it is nested deeper than 32 levels"),
        ("- " * 60_000, "it is nested deeper than 32 levels"),
        ("".join(f"{' ' * depth}k:\n" for depth in range(2_000)), "it is nested deeper than 32 levels"),
        ("- x\u2028\n- " + "[" * 60_000, "it is nested deeper than 32 levels"),
        ("!x " + "[" * 60_000, "it is nested deeper than 32 levels"),
        ("name: " + "9" * 6_000, "`/name` is a number of more than 100 digits"),
        ("name: 0x" + "f" * 60_000, "`/name` is a number of more than 100 digits"),
        ("name: 1." + "9" * 60_000, "`/name` is a number of more than 100 digits"),
        ("name: -" + "9" * 6_000, "`/name` is a number of more than 100 digits"),
        ("x" * 4_000_001, "it is too large: a file has at most 4,000,000 bytes"),
    ],
)
def test_a_hostile_file_is_refused_in_a_sentence(tmp_path: Path, content: str, reason: str) -> None:
    refused = refusal(written(tmp_path, content))

    assert any(reason in fault.reason for fault in refused.faults), [fault.reason for fault in refused.faults]


@for_each("feature", ["&name x", "*name", "!", "!!str x", "!own x"])
@for_each(
    "place",
    [
        "{}\n",  # the whole file
        "\ufeff{}\n",  # behind a mark of the byte order
        "--- {}\n",  # behind the start of the document
        "title:\n  {}\n",  # in a line of its own
        "- {}\n",  # an item
        "? {}\n: x\n",  # a key
        "[{}]\n",  # the first in brackets
        "[x,{}]\n",  # behind a comma
        "{{{}: x}}\n",  # the first in braces
        '{{"title":{}}}\n',  # behind a colon without a space
    ],
)
def test_an_anchor_alias_or_tag_is_refused_in_any_place(tmp_path: Path, place: str, feature: str) -> None:
    reason = refusal(written(tmp_path, place.format(feature))).reason

    assert reason.startswith(("anchors and aliases (", "tags (`!`) are not used", "not YAML: "))


def test_every_fault_is_told_at_once_in_the_order_of_the_lines(tmp_path: Path) -> None:
    words = SOUND.replace("title: Sex\n", "title: 1\n", 1).replace("label: Male", "lable: Male").replace("code: F", "")
    path = written(tmp_path, words)

    refused = refusal(path)

    assert str(refused).splitlines() == [
        f"{path}, line 2: `/title` must be text, in quotes where it looks like something else",
        f"{path}, line 9: `/codes/0/label` is missing",
        f"{path}, line 10: `/codes/0/lable` is not a key that belongs here",
        f"{path}, line 12: `/codes/1/code` is missing",
    ]
    assert (refused.path, refused.line) == (path, 2)
    assert refused.reason == "`/title` must be text, in quotes where it looks like something else"


def test_a_refusal_does_not_repeat_the_values_of_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, SOUND.replace("name: sex", "name: Told By Alex").replace("unverified", "Told By Alex"))

    refused = refusal(path)

    assert "Alex" not in str(refused)


@pytest.mark.parametrize("words", ["", "\n", "# only a comment\n"])
def test_an_empty_file_is_refused_without_a_line(tmp_path: Path, words: str) -> None:
    path = written(tmp_path, words)

    refused = refusal(path)

    assert str(refused) == f"{path}: the file is empty"
    assert refused.line is None


def test_a_file_that_is_not_utf_8_is_refused_with_the_line(tmp_path: Path) -> None:
    path = written(tmp_path, SOUND.replace("title: Sex", "title: S\xeax").encode("latin-1"))

    refused = refusal(path)

    assert str(refused) == f"{path}, line 2: the file must be UTF-8, and this line is not"


def test_a_file_that_is_absent_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "absent.yaml"

    refused = refusal(path)

    assert str(refused) == f"{path}: there is no such file"


def test_a_folder_in_place_of_a_file_is_told_so(tmp_path: Path) -> None:
    refused = refusal(tmp_path)

    assert str(refused) == f"{tmp_path}: the file cannot be read"


@for_each(
    ("written_date", "kept"),
    [("2017-02-01", "2017-02-01"), ("no", "no"), ("February 2017", "February 2017"), ('"2026"', "2026")],
)
def test_words_that_older_yaml_would_convert_stay_as_written(tmp_path: Path, written_date: str, kept: str) -> None:
    path = written(tmp_path, SOUND.replace('"2026"', written_date))

    parsed = read_seed_file(path, CodeList)

    assert parsed.source.published == kept


def by_the_other_parser(text: str) -> object:
    """Return the value as the parser in Python reads it; an error of YAML where it refuses the text."""
    try:
        return FileTree().plain(YAML(typ="safe", pure=True).compose(text), ())
    except YAMLError as refused:
        return refused


@pytest.mark.slow
@pytest.mark.parametrize(
    "odd", first_by_day(["\x85", "\t", "\u2028", "\u2029", "\ufeff", "\u00a0", "\r", "# ", ": ", "- "])
)
def test_a_file_is_read_the_same_by_either_parser(tmp_path: Path, odd: str) -> None:
    texts = [SOUND[:place] + odd + SOUND[place:] for place in range(len(SOUND))]

    for text in texts:
        expected = by_the_other_parser(text)
        if isinstance(expected, YAMLError):
            assert "not YAML" in str(refusal(written(tmp_path, text)))
        else:
            value, _ = read_tree(written(tmp_path, text))
            assert value == expected, text


@pytest.mark.slow
def test_nothing_of_a_file_stays_in_memory_but_its_model(tmp_path: Path) -> None:
    gc.collect()
    before = sum(isinstance(each, Node) for each in gc.get_objects())

    read_seed_file(written(tmp_path, SOUND), CodeList)

    gc.collect()
    assert sum(isinstance(each, Node) for each in gc.get_objects()) == before


def test_an_edition_s_place_is_read_from_its_path() -> None:
    place = edition_place(Path("seed/guides/child-sexual-exploitation/12.yaml"))

    assert place == ("child-sexual-exploitation", 12)


@for_each(
    "path",
    [
        "seed/guides/x/0.yaml",
        "seed/guides/x/01.yaml",
        "seed/guides/x/1.yml",
        "seed/guides/x/one.yaml",
        "seed/X y/1.yaml",
    ],
)
def test_any_other_name_is_no_edition_s_place(path: str) -> None:
    with pytest.raises(SeedFileError, match="must be named after"):
        edition_place(Path(path))
