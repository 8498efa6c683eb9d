"""The notes of a release, made from CHANGELOG.md and from a comparison with the release before."""

import re
from typing import NamedTuple

CHECK = "Check these files before you use them: the page 'Releases' of the documentation shows how."
UNSIGNED = "**These files are not signed.** Nobody can tell who made them: use them only if you know and trust who did."
OPERATORS = "**Operators:**"
BULLET = re.compile(r"^- (.*?)(?=^- |^#|^$|\Z)", flags=re.MULTILINE | re.DOTALL)
NAME = re.compile(r"\*\*([^*]+?)\.?\*\*\.? ")
LINK_OF_A_CLONE = re.compile(r"\[([^\]]*)\]\((?![a-z]+:)[^)]*\)")
SETTING = re.compile(r"^\| `(GUIDANCE_[A-Z0-9_]+)` \|", flags=re.MULTILINE)


class State(NamedTuple):
    """What an operator must know of a release: the schemas of its database, and the reference of its settings."""

    schemas: str
    settings: str


def changes_of(changelog: str, version: str) -> str:
    """Return the section of the changelog about `version`, or an empty string if there is none."""
    section = re.search(
        rf"^## {re.escape(version)} - [^\n]*\n(.*?)(?=^## |\Z)", changelog, flags=re.MULTILINE | re.DOTALL
    )
    return section[1].strip() if section else ""


def release_notes(version: str, changelog: str, before: State | None, now: State, *, is_signed: bool) -> str:
    """Return the notes of `version` as Markdown. `before` is the state of the release before, or None if it has no tag.

    If not `is_signed`, the notes begin with a warning. Links into the clone become plain text: the notes are read
    elsewhere.
    """
    changes = changes_of(changelog, version)
    items = [*_compared(before, now), *operators_items(changes)]
    parts = (
        f"# {version}",
        CHECK if is_signed else UNSIGNED,
        "## For operators",
        "To upgrade, follow 'Upgrade' on the page 'Deploy' of the documentation.",
        "\n".join(f"- {each}" for each in items),
        "## For callers",
        changes,
    )
    return LINK_OF_A_CLONE.sub(r"\1", "\n\n".join(parts)) + "\n"


def operators_items(changes: str) -> list[str]:
    """Return what the changes say to operators: an item for each change, after its name if it has one."""
    found = []
    for bullet in BULLET.findall(changes):
        words = " ".join(bullet.split())
        before, mark, said = words.partition(OPERATORS)
        if mark:
            name = NAME.match(before)
            said = said.strip()
            found.append(f"{name[1]}: {said}" if name else said[:1].upper() + said[1:])
    return found


def _compared(before: State | None, now: State) -> list[str]:
    """Return what differs between the two releases: the schema of the database, and the settings."""
    if before is None:
        return ["No earlier release has a tag, so neither the schema of the database nor the settings were compared."]
    old, new = (set(SETTING.findall(each.settings)) for each in (before, now))
    changed = "**changed**: take a backup, and let `guidance migrate` or the first start migrate it"
    return [
        f"The schema of the database is {'unchanged' if before.schemas == now.schemas else changed}.",
        f"New settings: {_named(new - old)}.",
        f"Settings that are gone: {_named(old - new)}.",
    ]


def _named(settings: set[str]) -> str:
    return ", ".join(f"`{each}`" for each in sorted(settings)) or "none"
