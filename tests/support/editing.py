"""The editor's pages, for tests that fill them in without a browser."""

import re
from html.parser import HTMLParser
from typing import Any

from app.http.auth import SESSION_COOKIE
from tests.support.people import OWN_PAGE

EDIT = "/edit"


class _Form(HTMLParser):
    """The fields of a page's autosaved form, as a browser sends them."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: list[tuple[str, str]] = []
        self._inside = False
        self._text: str | None = None
        self._select: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = "data-autosave" in given
        name = given.get("name")
        if not self._inside:
            return
        if tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self.fields.append((name, given.get("value") or ""))
        elif tag == "textarea" and name:
            self.fields.append((name, ""))
            self._text = name
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields.append((self._select, given.get("value") or ""))

    def handle_data(self, data: str) -> None:
        if self._text is not None:
            name, before = self.fields[-1]
            self.fields[-1] = (name, before + data)

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._text is not None:
            name, words = self.fields[-1]
            self.fields[-1] = (name, words.removeprefix("\n"))
            self._text = None
        if tag == "form":
            self._inside = False


def fields_in(page: str) -> dict[str, Any]:
    """Return what the form on the page sends; a name with several values has a list."""
    form = _Form()
    form.feed(page)
    fields: dict[str, Any] = {}
    for name, value in form.fields:
        fields.setdefault(name, []).append(value)
    return {name: values[0] if len(values) == 1 else values for name, values in fields.items()}


class Editor:
    """A person who is signed in, and works in the editor's pages."""

    def __init__(self, http: Any, token: str) -> None:
        self.http, self._cookies = http, {"Cookie": f"{SESSION_COOKIE}={token}"}

    def get(self, path: str = "") -> Any:
        return self.http.get(EDIT + path, headers=self._cookies)

    def post(self, path: str, fields: dict[str, Any] | None = None, **headers: str) -> Any:
        sent = self._cookies | OWN_PAGE | headers
        return self.http.post(EDIT + path, data=fields or {}, headers=sent, follow_redirects=False)

    def open(self, guide: str, page: str) -> dict[str, Any]:
        """Return the fields of a section's form as it is opened now."""
        response = self.get(f"/{guide}/sections/{page}")
        assert response.status_code == 200, response.text
        return fields_in(response.text)

    def save(self, guide: str, page: str, fields: dict[str, Any], act: str = "") -> Any:
        return self.post(f"/{guide}/sections/{page}", fields | ({"act": act} if act else {}))

    def version(self, guide: str) -> str:
        """Return the version that the draft's page shows."""
        found = re.search(r'name="version" value="(\d+)"', self.get(f"/{guide}").text)
        assert found is not None
        return found[1]
