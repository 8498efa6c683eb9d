"""After a publication or a withdrawal a node makes again what it touches, and holds nothing that is out of date."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from sqlmodel import Session
from starlette.testclient import TestClient

from app.config import Settings
from app.http.cache import CachedResponse
from app.main import GuidanceApp, create_app, held_versions
from app.models.guides.edition_keys import EditionKey
from app.services.guides.editions import find_history
from app.services.guides.publishing import withdraw_published
from tests.support.clock import SettableClock
from tests.support.loops import for_each
from tests.support.people import context_of_service
from tests.support.publishing import SLUG, an_edition, publish_next, withdraw
from tests.support.renditions import publish_a_rendition, withdraw_a_rendition

OTHER, THIRD = "another-guide", "a-third-guide"
NUMBER = {"number": "+441632960009", "display": "01632 960009"}
Act = Callable[[FastAPI], object]


def another_number() -> tuple[Any, ...]:
    """The contacts with another number to call, which pages of the default guide's council show."""
    first, *others = an_edition().contacts
    return (first.model_copy(update={"phones": (first.phones[0].model_copy(update=NUMBER),)}), *others)


def withdraw_all(service: FastAPI, guide: str) -> None:
    context = context_of_service(service)
    for number in (1, 2):
        key = EditionKey(guide, number)
        context.writer.run(withdraw_published, key, reason=f"Number {number} was wrong.", at=context.clock())


ACTS: dict[str, Act] = {
    "a new edition of another guide": lambda node: publish_next(node, OTHER, change_note="Again."),
    "a new edition of the default guide": lambda node: publish_next(node, change_note="Again."),
    "another number to call": lambda node: publish_next(node, change_note="A number.", contacts=another_number()),
    "a rendition": publish_a_rendition,
    "a withdrawn rendition": lambda node: withdraw_a_rendition(node, "pl", 1),
    "a new guide": lambda node: publish_next(node, "a-fourth-guide"),
    "a withdrawn edition of another guide": lambda node: withdraw(node, 2, guide=OTHER),
    "a withdrawn edition of the default guide": lambda node: withdraw(node, 3),
    "a guide without any edition": lambda node: withdraw(node, 1, guide=OTHER),
    "a default guide without any edition": lambda node: withdraw_all(node, SLUG),
    "a withdrawn guide that is published again": lambda node: publish_next(node, OTHER, change_note="Back."),
}


def held_by(node: GuidanceApp) -> dict[str, CachedResponse]:
    """Return what the node holds, by path, in the store that it serves from."""
    held: dict[Any, CachedResponse | None] = vars(context_of_service(node).response_cache.store)["_held"]
    return {key[0]: entry for key, entry in held.items() if entry is not None}


def hold(node: GuidanceApp) -> None:
    asyncio.run(node.held.hold_all())


@pytest.fixture
def nodes(settings: Settings, clock: SettableClock) -> Iterator[list[GuidanceApp]]:
    """Three nodes on one database: one that publishes, one that is told of it late, and one that holds nothing."""
    with ExitStack() as stack:
        made = [create_app(settings, clock) for _ in range(3)]
        for node in made:
            stack.enter_context(TestClient(node))
            context = context_of_service(node)
            for worker in context.workers:
                worker.stop()
        for guide in (OTHER, THIRD):
            publish_next(made[0], guide)
        yield made


def fresh(node: GuidanceApp, path: str) -> tuple[int, bytes]:
    context = context_of_service(node)
    context.invalidate_caches()
    response = TestClient(node).get(path, headers={"Accept-Encoding": "identity"}, follow_redirects=False)
    return response.status_code, response.content


def expect_nothing_stale(told: GuidanceApp, empty: GuidanceApp, after: str) -> None:
    for path, entry in held_by(told).items():
        assert fresh(empty, path) == (200, entry.plain.whole.body), f"{path} after {after}"


def test_what_a_node_holds_after_each_act_is_what_a_node_without_a_cache_makes(nodes: list[GuidanceApp]) -> None:
    publishing, told, empty = nodes
    context_of_service(told).invalidate_caches()
    hold(told)
    for name, act in ACTS.items():
        act(publishing)
        hold(told)  # before it is told: what it makes now may be older or newer than what it knows
        context_of_service(told).invalidate_caches()
        hold(told)
        hold(publishing)

        wanted = held_versions(context_of_service(told).engine).keys()
        assert held_by(told).keys() == {path for path in wanted if fresh(empty, path)[0] == 200}, name
        expect_nothing_stale(told, empty, name)
        expect_nothing_stale(publishing, empty, name)


@for_each("moment", ["_find_versions", "_read_again"])
@for_each("is_late", [False, True])
def test_an_act_while_a_node_reads_what_has_changed_is_not_missed(
    nodes: list[GuidanceApp], moment: str, is_late: bool
) -> None:
    publishing, told, empty = nodes
    publish_next(publishing, THIRD, contacts=another_number())
    with Session(context_of_service(told).engine) as session:
        number = len(find_history(session, guide=THIRD))
    context_of_service(told).invalidate_caches()
    part = vars(told.held)
    original = part[moment]

    def act_in_the_midst() -> Any:
        TestClient(told).get(f"/guides/{THIRD}/editions/1")  # remembers the numbers to call of the newest edition
        found = original() if is_late else None
        withdraw(publishing, number, guide=THIRD)
        return found if is_late else original()

    part[moment] = act_in_the_midst
    context_of_service(told).invalidate_caches()
    hold(told)
    part[moment] = original
    context_of_service(told).invalidate_caches()
    hold(told)

    expect_nothing_stale(told, empty, "an act in the midst")


def test_an_act_on_one_guide_leaves_the_responses_of_others_and_makes_its_own_and_the_lists_again(
    nodes: list[GuidanceApp],
) -> None:
    publishing, told, _ = nodes
    hold(told)
    before = held_by(told)

    publish_next(publishing, OTHER, change_note="Again.")
    context_of_service(told).invalidate_caches()
    context_of_service(told).invalidate_caches()  # the watcher also notices what this process has published
    assert held_by(told) == {}
    hold(told)

    after = held_by(told)
    assert after.keys() == before.keys()
    made_again = {path for path in before if before[path] is not after[path]}
    assert made_again == {path for path in before if OTHER in path or "guides/" not in path}
    assert any(THIRD in path for path in before)
