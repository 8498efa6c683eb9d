"""A person at a page of the desk with a keyboard alone, whose presses are counted."""

import re
from pathlib import Path

from playwright.sync_api import Locator, Page

from tests.support.waiting import wait_until


class Keyboard:
    """Reaches what is on a page, and presses it. `presses` counts what a person decides: a link, a button, a file."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.presses = 0

    def press(self, role: str, name: str) -> None:
        """Reach the first element of that role and name, and press it."""
        target = self.page.get_by_role(role, name=name, exact=True).first  # type: ignore[arg-type]  # a role
        self._press(target, "Enter")

    def open_up(self, summary: str) -> None:
        """Open what is folded."""
        whole = re.compile(rf"^\s*{re.escape(summary)}\s*$")
        self._press(self.page.locator("summary", has_text=whole).first, "Enter")

    def choose(self, label: str) -> None:
        """Choose one of several answers."""
        self._press(self.page.get_by_label(label).first, "Space")

    def choose_file(self, label: str, file: Path) -> None:
        """Choose a file: the press opens the browser's own window, which the test answers."""
        with self.page.expect_file_chooser() as window:
            self._press(self.page.get_by_label(label).first, "Enter")
        window.value.set_files(file)

    def write(self, label: str, words: str) -> None:
        """Reach the field, and type."""
        self.page.get_by_label(label).first.focus()
        self.page.keyboard.type(words)

    @staticmethod
    def _reach(target: Locator) -> bool:
        target.focus()
        return bool(target.evaluate("it => it === document.activeElement"))

    def _press(self, target: Locator, key: str) -> None:
        wait_until(lambda: self._reach(target))  # again where a new page came just then
        self.page.keyboard.press(key)
        self.presses += 1
