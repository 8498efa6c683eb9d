"""Buttons of the form that change what it shows, and send nothing."""

from collections.abc import Callable, Mapping

from fastapi import Response

from app.pages.form.draft import Draft
from app.pages.form.form_data import value_at


def _change(draft: Draft, target: str) -> Response:
    """Return the form with the focus on a section."""
    return draft.form_page(focus=target)


def _clear(draft: Draft, target: str) -> Response:
    """Return the form without one answer."""
    return draft.without_answer(target).form_page(focus=target)


def _add(draft: Draft, target: str) -> Response:
    """Return the form with one more entry in a group."""
    entries = value_at(draft.answers, target)
    number = len(entries) if isinstance(entries, list) else 0
    return draft.form_page(extra_entry=target, focus=f"{target}.{number}")


def _remove(draft: Draft, target: str) -> Response:
    """Return the form without one entry of a group."""
    return draft.without_entry(target).form_page(focus=target.rpartition(".")[0])


REARRANGEMENTS: Mapping[str, Callable[[Draft, str], Response]] = {
    "change": _change,
    "clear": _clear,
    "add": _add,
    "remove": _remove,
}
"""What each button does, by the verb of its value (`add:children`)."""
