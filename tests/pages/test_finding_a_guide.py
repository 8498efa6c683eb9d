"""Finding a guide: the home page for one guide and for hundreds, lists by letter and subject, and the search page."""

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.support.canaries import CANARY, traces
from tests.support.log_lines import Lines
from tests.support.loops import first_by_day, for_each
from tests.support.publishing import SLUG, an_edition, publish_examples, publish_invented
from tests.support.service import a_service

POLICE, CHILDLINE, CALL_CARD = 'href="tel:999"', 'href="tel:+448001111"', '<p class="number">'
MISSING, PICTURES = ("police-non-emergency", "missing-people"), ("report-remove", "ceop-safety-centre")
CRISES = {
    "suicide": ("samaritans",),
    "self harm": ("samaritans",),
    "Self-harm": ("samaritans",),
    "selfharming": ("samaritans",),
    "I want to KILL MYSELF": ("samaritans",),
    "i don’t want to live": ("samaritans",),
    "he has my pictures": PICTURES,
    "he’s got my pics": PICTURES,
    "Nudes": PICTURES,
    "run away": MISSING,
    "my daughter has run away": MISSING,
    "she ran away": MISSING,
    "my son is missing": MISSING,
    "raped": ("police-non-emergency",),
    "my teacher touches me": ("police-non-emergency",),
    "my dad hits me": ("police-non-emergency",),
    "MY STEP-DAD'S HITTING ME": ("police-non-emergency",),
}
"""What people in a crisis type, and the signposts to which it leads besides 999 and Childline."""
MAX_BYTES = 40_000
"""Of the home page or a page of the list, however many guides there are."""


def open_site(folder: Path) -> FastAPI:
    """Return a service that is not started yet."""
    return a_service(data_dir=folder / "data")


@pytest.fixture(scope="module")
def four(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Yield a client of a service with the guide of the seed and the three examples."""
    service = open_site(tmp_path_factory.mktemp("four"))
    with TestClient(service, headers={"Accept": "text/html"}) as client:
        publish_examples(service)
        yield client


def search(client: TestClient, words: str, **more: str) -> Any:
    return client.post("/search", data={"q": words, **more})


def text_of(page: str) -> str:
    main = page.partition("<main")[2].partition("</main")[0]
    return " ".join(re.sub(r"<[^>]*>", "", main).split())


def test_results_are_under_guide_and_section_with_marks_and_cautions(four: TestClient) -> None:
    page = search(four, "phone").text

    for guide in (SLUG, "child-criminal-exploitation"):
        group = page.partition(f'<h2 id="{guide}"')[2].partition("<h2")[0]
        assert f'href="/guides/{guide}#indicators">What to look for</a>' in group
        assert re.search("(?i)<mark>phones?</mark>", group)
        assert 'class="box"' in group
    assert "Example Safeguarding Children Partnership" in page


def test_an_item_is_shown_as_printed_without_a_score(four: TestClient) -> None:
    item = next(each for each in an_edition().indicators if each.id == "missing-or-unexplained-absence")

    shown = text_of(search(four, "missing").text)

    assert item.text in shown
    assert not re.search(r"\d+ (results|found|matches)", shown)


def test_a_guide_is_found_by_its_title_and_its_subject(four: TestClient) -> None:
    page = search(four, "neglect").text

    assert "Neglect in one minute" in page.partition('<h2 id="by-title">')[2].partition("</ul>")[0]
    assert "Worried about a pupil?" in text_of(search(four, "pupils").text)


@for_each(
    ("words", "led_to", "guide"),
    [
        ("my Older Boyfriend", "older boyfriend", SLUG),
        ("nude", "nudes", SLUG),
        ("county lines", "county lines", "child-criminal-exploitation"),
    ],
)
def test_other_words_for_a_subject_find_its_guide_and_are_named(
    four: TestClient, words: str, led_to: str, guide: str
) -> None:
    page = search(four, words).text

    by_title = page[page.index("<main") :].partition('id="by-title"')[2].partition("<h2")[0]
    assert f'href="/guides/{guide}"' in by_title
    assert f"Found by ‘<span>{led_to}</span>’" in by_title


def test_999_comes_before_the_results_and_the_team_after_them(four: TestClient) -> None:
    for response in (four.get("/search"), search(four, "missing"), search(four, "zebra crossing"), search(four, " ")):
        bar, _, main = response.text.partition("<main")
        assert POLICE in bar
        assert 0 < main.index(POLICE) < main.index(CHILDLINE) < main.index("/worried-about-yourself")
        assert main.index("/worried-about-yourself") < main.index('name="q"') < main.index(CALL_CARD)
    nothing = search(four, "zebra crossing").text
    assert re.findall("<h1>(.*)</h1>", nothing) == ["People who can help"]
    assert "No guide here is about ‘zebra crossing’ yet." in text_of(nothing)


def test_every_page_of_results_begins_with_999_and_childline(four: TestClient) -> None:
    pages = [search(four, "c"), search(four, "c", do="more"), four.post("/cy/search", data={"q": "c"})]
    listed, path = [], "/v1/search?q=ch&limit=2"
    for _ in range(3):
        answer = four.get(path, headers={"Accept": "application/json"}).json()
        listed.append([each["id"] for each in answer["signposts"]])
        path = f"/v1/search?q=ch&limit=2&cursor={answer['next_cursor']}"

    for response in pages:
        main = response.text.partition("<main")[2]
        assert 0 < main.index(POLICE) < main.index(CHILDLINE) < main.index('name="q"') < main.index('id="by-title"')
    assert listed == [["police-emergency", "childline"]] * 3


@pytest.mark.parametrize(
    ("words", "message"), [("", "Enter a word"), (" ?! ", "Enter a word"), ("a" * 201, "Enter fewer words")]
)
def test_a_refused_search_is_explained_at_its_field_and_stays(four: TestClient, words: str, message: str) -> None:
    response = search(four, words)

    assert response.status_code == 422
    assert f'<a href="#q">{message}' in response.text
    assert f'value="{words.strip()}"' in response.text


@for_each("words", ['"><script>alert(1)</script>', "' OR 1=1 --", "a* NEAR(b)", "\N{PILE OF POO}x"])
def test_no_word_is_an_operator_or_becomes_markup(four: TestClient, words: str) -> None:
    response = search(four, words)

    assert response.status_code == 200
    assert "<script>alert" not in response.text


def test_more_is_shown_at_a_press(four: TestClient) -> None:
    first = search(four, "c").text
    more = search(four, "c", do="more").text

    assert ">Show more</button>" in first
    assert len(text_of(more)) > len(text_of(first))
    assert ">Show more</button>" not in more


def test_the_words_are_in_no_log_no_cache_and_no_address(
    tmp_path: Path, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("httpx2"), "disabled", True)  # the caller's own, in this process
    service = open_site(tmp_path)
    with TestClient(service, headers={"Accept": "text/html"}) as client:
        found = search(client, CANARY)
        refused = client.get(f"/search?q={CANARY}")
        logged = json.dumps(lines())
        metrics = client.get("/metrics").text

    assert '"route": "/search"' in logged
    assert found.headers["cache-control"] == refused.headers["cache-control"] == "no-store"
    assert refused.status_code == 400
    assert traces((logged + metrics + refused.text + str(found.headers)).encode()) == []
    assert re.findall(r'<form method="(\w+)" action="/search"', found.text) == ["post"]
    assert [path for path in (tmp_path / "data").rglob("*") if path.is_file() and traces(path.read_bytes())] == []


def test_searches_are_limited_but_reading_the_form_is_not(tmp_path: Path) -> None:
    with TestClient(a_service(data_dir=tmp_path / "data", limit_search="2/minute"), client=("192.0.2.1", 1)) as client:
        statuses = [search(client, "missing").status_code for _ in range(3)]
        statuses += [client.get("/search").status_code for _ in range(3)]

    assert statuses == [200, 200, 429, 200, 200, 200]


def test_few_guides_are_cards_and_a_single_one_has_no_search(tmp_path: Path, four: TestClient) -> None:
    with TestClient(open_site(tmp_path)) as client:
        one = client.get("/").text
    home = four.get("/").text

    assert 'action="/search"' not in one
    assert 'action="/search"' in home
    assert len(re.findall(r'<h3 id="[a-z-]+"><a href="/guides/', home)) == 4
    assert "By <span>Example Academy</span>" in home
    assert "By <span>" not in one


@pytest.fixture(scope="module", params=first_by_day([40, 80, 400], 2))
def many(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Yield a client of a service with so many guides."""
    service = open_site(tmp_path_factory.mktemp("many"))
    with TestClient(service, headers={"Accept": "text/html"}) as client:
        publish_examples(service)
        publish_invented(service, request.param - 4)
        yield client


def links_to_guides(page: str) -> set[str]:
    return set(re.findall(r'href="/guides/([a-z0-9-]+)"', page))


@pytest.mark.slow
def test_every_guide_is_reached_from_home_by_subject_and_letter(many: TestClient) -> None:
    home, listed = many.get("/").text, many.get("/guides").text
    by_subject = [many.get(path).text for path in re.findall(r'href="(/subjects/[a-z_]+)"', home)]
    by_letter = [many.get(path).text for path in re.findall(r'href="(/guides\?letter=[A-Z])"', listed)]

    everything = {each["guide"] for each in guides_of(many)}
    assert len(everything) in (40, 80, 400)
    assert set().union(*map(links_to_guides, [home, *by_subject])) == everything
    assert set().union(*map(links_to_guides, [listed, *by_letter])) == everything
    for page in (home, listed, *by_subject, *by_letter):
        bar, _, main = page.partition("<main")
        assert POLICE in bar
        assert CALL_CARD in main
        assert len(page.partition("<body")[2].encode()) < MAX_BYTES  # the style is before it


def guides_of(client: TestClient) -> Iterator[dict[str, Any]]:
    path = "/v1/guides?limit=200"
    while path:
        page = client.get(path, headers={"Accept": "application/json"}).json()
        yield from page["guides"]
        path = page["next_cursor"] and f"/v1/guides?limit=200&cursor={page['next_cursor']}"


@pytest.mark.slow
def test_a_title_is_under_the_letter_of_its_main_word(many: TestClient) -> None:
    page = many.get("/guides?letter=C").text

    assert links_to_guides(page) >= {SLUG, "child-criminal-exploitation"}
    assert "One Minute Guide" in page


def test_a_guide_without_cautions_is_found_like_the_others(four: TestClient) -> None:
    found = [four.get(path, headers={"Accept": "application/json"}) for path in ("/v1/search?q=school", "/v1/contacts")]

    assert [each.status_code for each in found] == [200, 200]
    entries = found[0].json()["results"] + found[1].json()["contacts"]
    assert [each["cautions"] for each in entries if each["guide"] == "worried-about-a-pupil"][:1] == [[]]
    assert "School office" in text_of(search(four, "school").text)


@for_each("path", ["/guides?letter=ab", "/guides?letter=0", "/subjects/no-such", "/subjects/gangs"])
def test_a_letter_or_a_subject_without_guides_is_an_error_page(four: TestClient, path: str) -> None:
    response = four.get(path)

    assert response.status_code in (400, 404)
    assert POLICE in response.text


@for_each(("words", "ids"), CRISES.items())
def test_words_of_a_crisis_lead_to_their_signposts_before_any_result(
    client: TestClient, words: str, ids: tuple[str, ...]
) -> None:
    as_json = {"Accept": "application/json"}
    known = {each["id"]: each for each in client.get("/v1/signposts", headers=as_json).json()["signposts"]}

    main = search(client, words).text.partition("<main")[2].partition("</main")[0]
    listed = client.get("/v1/search", params={"q": words}, headers=as_json).json()["signposts"]

    assert [each["id"] for each in listed] == ["police-emergency", "childline", *ids]
    assert listed == [known[each["id"]] for each in listed]
    before = main.partition('id="first"')[2].partition('role="search"')[0]
    assert [each for each in ids if f"<strong>{known[each]['name']}</strong>" not in before] == []
    for sentence in ("Nothing found", "No guide here is about", "Try just one word"):
        assert sentence not in main


def test_a_search_that_fails_still_begins_with_999_childline_and_who_helps(tmp_path: Path) -> None:
    service = a_service(data_dir=tmp_path / "data", limit_search="1/minute")
    with TestClient(service, client=("192.0.2.1", 1), headers={"Accept": "text/html"}) as client:
        too_long = search(client, "he has my pictures and " + "will not stop " * 20)
        too_many = search(client, "suicide")

    assert (too_long.status_code, too_many.status_code) == (422, 429)
    for page in (too_long.text, too_many.text):
        main = page.partition("<main")[2]
        assert 0 < main.index(POLICE) < main.index(CHILDLINE) < main.index(CALL_CARD)
    assert "Report Remove" in too_long.text.partition('id="first"')[2].partition('role="search"')[0]


def test_no_answer_of_the_api_tells_the_words_of_a_crisis(client: TestClient) -> None:
    answers = [
        client.get(path, headers={"Accept": "application/json"}) for path in ("/v1/signposts", "/v1/search?q=missing")
    ]

    assert [answer for answer in answers if "vanished" in answer.text] == []
    assert [each["id"] for answer in answers for each in answer.json()["signposts"] if "words" in each] == []


@pytest.mark.slow
@for_each(
    ("words", "said"),
    [
        ("my teacher", ("tel:+441225396312", "the council officer who deals with this")),
        ("I want to complain", ("Complaints go to another team.",)),
        ("complaint", ("Complaints go to another team.",)),
        ("vulnerable adult", ("call adult social care",)),
        ("snapchat", ("One Minute Guide",)),
        ("he has my pictures", ("One Minute Guide",)),
        ("nudes", ("One Minute Guide", "Found by ‘<span>nudes</span>’")),
        ("helpline", ("NSPCC Helpline", "tel:+448088005000")),
        ("county lines", ("Modern Slavery &amp; Exploitation Helpline", 'href="/raise-a-concern"')),
        ("going country", ("No guide here is about ‘<span>going country</span>’ yet.",)),
    ],
)
def test_peoples_words_lead_to_somebody_to_call_or_to_what_to_do(
    client: TestClient, words: str, said: tuple[str, ...]
) -> None:
    main = search(client, words).text.partition("<main")[2].partition('class="card call"')[0]

    assert [each for each in said if each not in main] == []
    assert main.count("No guide here is about") <= 1


def test_other_reasons_to_come_have_the_councils_own_contacts(tmp_path: Path) -> None:
    own = {"adults_contact": ("tel:01632960002",), "complaints_contact": ("mailto:complaints@council.example",)}
    with TestClient(a_service(data_dir=tmp_path / "data", **own)) as client:
        for path in ("/", "/raise-a-concern"):
            found = client.get(path).text.partition("Is it about something else?")[2].partition("</details>")[0]
            for address in ("tel:01632960002", "tel:+441225396312", "mailto:complaints@council.example"):
                assert f'href="{address}"' in found, path
