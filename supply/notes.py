"""The notes of a release: what CHANGELOG.md says of it, and how schema and settings differ from the release before."""

import re
from typing import NamedTuple

CHECK = "Check these files before you use them: the page 'Releases' of the documentation shows how."
UNSIGNED = "**These files are not signed.** Nobody can tell who made them: use them only if you know and trust who did."
UPGRADE = "To upgrade, follow 'Upgrade' on the page 'Deploy' of the documentation."
LINK_OF_A_CLONE = re.compile(r"\[([^\]]*)\]\((?![a-z]+:)[^)]*\)")
COMMENT = re.compile(r"<!--.*?-->\n*", flags=re.DOTALL)
SETTING = re.compile(r"^\| `(GUIDANCE_[A-Z0-9_]+)` \|", flags=re.MULTILINE)


class State(NamedTuple):
    """What an operator must know of a release: the schemas of its database, and the reference of its settings."""

    schemas: str
    settings: str


def changes_of(changelog: str, version: str) -> str:
    """Return the section of the changelog about `version`, or an empty string if there is none."""
    section = re.search(
        rf"^## {re.escape(version)}(?: - [^\n]*)?\n(.*?)(?=^## |\Z)", changelog, flags=re.MULTILINE | re.DOTALL
    )
    return COMMENT.sub("", section[1]).strip() if section else ""


def release_notes(version: str, changelog: str, before: State | None, now: State, *, is_signed: bool) -> str:
    """Return the notes of `version` as Markdown. `before` is the state of the release before, or None if it has no tag.

    If not `is_signed`, the notes begin with a warning. Links into the clone become plain text: the notes are read
    elsewhere.
    """
    compared = " ".join([UPGRADE, *_compared(before, now)])
    changes = re.sub(r"^###", "##", changes_of(changelog, version), flags=re.MULTILINE)
    parts = (f"# {version}", CHECK if is_signed else UNSIGNED, compared, changes)
    return LINK_OF_A_CLONE.sub(r"\1", "\n\n".join(parts)) + "\n"


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
