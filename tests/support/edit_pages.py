"""The editor's pages in a browser: a service that can be stopped, and people who are signed in."""

from contextlib import ExitStack
from pathlib import Path

from playwright.sync_api import Browser, Page

from app.config import Settings
from app.http.auth import SESSION_COOKIE
from app.main import create_app
from app.models.people import Role
from tests.support.browsing import run_server
from tests.support.clock import SettableClock
from tests.support.people import context_of_service, invited


class Running:
    """A service that can be stopped and started again, on the same folder and port."""

    def __init__(self, folder: Path) -> None:
        self.settings, self.clock = Settings(data_dir=folder, deliver=False), SettableClock()
        self.address, self._stack = "", ExitStack()
        self.start()

    def start(self) -> None:
        self.service = create_app(self.settings, self.clock)
        port = int(self.address.rpartition(":")[2] or 0)
        self.address = self._stack.enter_context(run_server(self.service, port=port))

    def stop(self) -> None:
        self._stack.close()

    def session_of(self, name: str, role: Role) -> str:
        invited(self.service, name, role)
        context = context_of_service(self.service)
        return context.desk_sign_in.begin_with_passkey(name, address="127.0.0.1", at=context.clock(), former=None)


def page_of(browser: Browser, running: Running, name: str, role: Role, *, scripts: bool = True) -> Page:
    context = browser.new_context(base_url=running.address, java_script_enabled=scripts)
    context.set_default_timeout(30_000)
    token = running.session_of(name, role)
    context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": running.address}])
    return context.new_page()


def press(page: Page, name: str) -> None:
    """Press the button by the keyboard alone."""
    page.get_by_role("button", name=name, exact=True).first.focus()
    page.keyboard.press("Enter")


def press_and_arrive(page: Page, name: str) -> None:
    """Press the button, and wait for the page that it leads to: what was typed is saved first."""
    with page.expect_navigation():
        press(page, name)
