"""Saved views: filters of the inbox under a name, stored for one person."""

from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from app.services import inbox
from app.services.inbox import remove_views
from tests.support.concerns import Concern
from tests.support.desk import Desk, worker_of
from tests.support.loops import for_each


def save(desk: Desk, name: str, **filters: Any) -> Any:
    return desk.http.put(f"/v1/desk/views/{name}", json=filters, headers=desk.headers)


def names(desk: Desk) -> list[str]:
    return [each["name"] for each in desk.get("/views").json()["views"]]


def test_a_view_is_saved_replaced_followed_and_removed(client: TestClient, robin: Desk, a_concern: Concern) -> None:
    danger, _ = (client.post("/v1/concerns", json=a_concern(immediate_danger=each)).json() for each in ("yes", "no"))
    save(robin, "first", mine=True)
    saved = save(robin, "first", danger="yes", unassigned=True)

    (view,) = robin.get("/views").json()["views"]
    listed = client.get(view["links"]["concerns"], headers=robin.headers).json()["concerns"]

    assert saved.json() == view
    assert view["filters"] == {"danger": "yes", "unassigned": True}
    assert [each["reference"] for each in listed] == [danger["reference"]]
    removed = client.delete(view["links"]["self"], headers=robin.headers)
    assert removed.json() == {"views": []}
    assert client.delete(view["links"]["self"], headers=robin.headers).status_code == 404


def test_a_person_sees_their_own_views_alone_and_loses_them_on_leaving(
    service: FastAPI, client: TestClient, robin: Desk
) -> None:
    sam = worker_of(service, client, "Sam Example")
    save(robin, "mine", mine=True)
    save(sam, "danger", danger="yes")

    assert (names(robin), names(sam)) == (["mine"], ["danger"])
    assert sam.http.delete("/v1/desk/views/mine", headers=sam.headers).status_code == 404
    remove_views(service.state.context.writer, "Robin Example")
    assert (names(robin), names(sam)) == ([], ["danger"])


@for_each("filters", [{"mine": True, "unassigned": True}, {"danger": "maybe"}, {"order": "x"}, {"assigned_to": " Sam"}])
def test_filters_that_cannot_be_are_not_saved(robin: Desk, filters: dict[str, Any]) -> None:
    assert save(robin, "view", **filters).status_code == 422
    assert names(robin) == []


def test_a_person_has_so_many_views_and_may_still_change_them(robin: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    assert inbox.MAX_VIEWS == 50
    monkeypatch.setattr(inbox, "MAX_VIEWS", 2)

    statuses = [save(robin, name, mine=True).status_code for name in ("a", "b", "c", "b")]

    assert statuses == [200, 200, 422, 200]
