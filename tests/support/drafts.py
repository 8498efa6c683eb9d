"""Drafts of guides, for tests that write and publish them."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from playwright.sync_api import Browser, Page

from app.config import Settings
from app.http.context import AppContext
from app.http.visitors import SESSION_COOKIE
from app.main import create_app
from app.models.access.clients import Scope
from app.models.access.roles import Role
from app.models.guides.editions import EDITION_EXAMPLE
from app.services.access.clients import add_client
from tests.support.clock import A_TUESDAY, SettableClock
from tests.support.people import context_of_service, invited
from tests.support.prepared import copy_prepared
from tests.support.threaded import run_server

SEED_GUIDE = "child-sexual-exploitation"
NEW_GUIDE = "county-lines"


@dataclass(frozen=True)
class Writer:
    """A client that works on the draft of one guide."""

    http: Any
    key: str
    guide: str = NEW_GUIDE

    def call(self, method: str, below: str = "", *, tag: str | None = None, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.key}"} | ({"If-Match": tag} if tag else {})
        options = {} if body is None else {"json": body}
        return self.http.request(method, f"/v1/guides/{self.guide}/draft{below}", headers=headers, **options)

    def save(self, content: Any, *, tag: str | None = None) -> Any:
        return self.call("PUT", tag=tag, body=content)

    def saved(self, content: Any) -> str:
        """Save the content over what is there, and return the ETag."""
        found = self.call("GET")
        response = self.save(content, tag=found.headers.get("etag"))
        assert response.status_code in (200, 201), response.text
        tag: str = response.headers["etag"]
        return tag

    def publish(self, tag: str | None, follows: int | None) -> Any:
        return self.call("POST", "/publication", tag=tag, body={"follows": follows})


def writer_of(
    service: FastAPI, http: Any, name: str, *scopes: Scope, guide: str = NEW_GUIDE, person: str | None = None
) -> Writer:
    context: AppContext = service.state.context
    granted = scopes or (Scope.DRAFT, Scope.PUBLISH)
    return Writer(http, add_client(context.writer, name=name, scopes=granted, person=person, at=A_TUESDAY), guide)


def whole_draft(**changes: Any) -> dict[str, Any]:
    """Return a draft that can be published."""
    return EDITION_EXAMPLE | changes


class Running:
    """A service that can be stopped and started again, on the same folder and port."""

    def __init__(self, folder: Path) -> None:
        copy_prepared(folder)
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
