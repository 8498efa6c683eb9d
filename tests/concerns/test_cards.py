"""Sealed cards: what is on them, that their length says little, and that they live and go with their texts."""

import hashlib
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pyrage import x25519
from starlette.testclient import TestClient

from app.config import Settings
from app.errors import UnsealingUnavailable
from app.http.context import AppContext
from app.models.access.clients import Scope
from app.models.audit.rows import Remnants
from app.models.concerns.examples import FULL_EXAMPLE
from app.services.access.clients import add_client
from app.services.audit.audit_log import Actor
from app.services.audit.remnants import purge_remnants
from app.services.concerns.card_making import MAX_EXCERPT_LENGTH, card_of_addition, card_of_concern, seal_card
from app.services.concerns.keys import DEVELOPMENT_IDENTITY, create_identity
from app.services.concerns.resealing import Resealed, reseal
from app.services.concerns.sealing import LEAST_CARD, Unsealer, make_sealer, read_identities
from app.services.operations.backup import back_up
from app.services.operations.verification import find_faults
from tests.support.clock import A_TUESDAY
from tests.support.concerns import a_concern, add, raise_concern
from tests.support.databases import RawConnection, drop_triggers, files_of, raw_connection
from tests.support.desk import Desk
from tests.support.waiting import wait_until

PIECE = slice(200, 232)  # of a sealed card: no other text has the same bytes
FORGED = b"age-encryption.org/v1 forged"
AN_OPERATOR = Actor("key-holder", "command line", A_TUESDAY)


def cards_in(database: RawConnection) -> dict[tuple[str, int], Any]:
    rows = database.execute("SELECT reference, addition, sealed FROM cards").fetchall()
    return {(reference, number): sealed for reference, number, sealed in rows}


def opened(settings: Settings, sealed: bytes) -> Any:
    return json.loads(read_identities(settings.data_dir / DEVELOPMENT_IDENTITY).decrypt(sealed))


def resealed(context: AppContext, settings: Settings, *recipients: str) -> Resealed:
    unsealer = read_identities(settings.data_dir / DEVELOPMENT_IDENTITY)
    sealer = make_sealer(recipients) if recipients else context.submissions.sealer
    return reseal(context.engine, context.writer, unsealer, sealer, actor=AN_OPERATOR)


def faults(context: AppContext) -> list[str]:
    return [fault for _, fault in find_faults(context.engine)]


def test_the_card_of_a_concern_has_who_it_is_about() -> None:
    card = card_of_concern(json.loads(json.dumps(FULL_EXAMPLE)))

    (child, *_) = card["children"]
    assert (child["names"], child["born"], child["school"]) == (
        ["Alex", "Example"],
        "2012-03-04",
        "Example Academy, Year 10",
    )
    assert (child["postcode"], child["council"], child["other_names"]) == ("XX1 1XX", "E06000022", ["Lex"])
    assert (child["address"], child["numbers"]) == ("1 Example Street, Exampleton", ["999 000 0000"])
    assert {each["relation"] for each in card["people"]} == {"parent", "other", "of_concern"}
    assert {each["address"] for each in card["people"]} == {
        "1 Example Street, Exampleton",
        "2 Example Street, Exampleton",
        "Somewhere near Example Park",
    }
    assert card["vehicles"] == [
        {"registration": "ends EXA", "described": "Small grey car with a dent in the left door"}
    ]
    assert [each.get("name") or each["address"] for each in card["places"]] == [
        "Example Park",
        "At school until 3.15 this afternoon",
    ]
    assert card["accounts"] == ["An account called example_user_1 on a chat app"]
    assert card["agencies"] == [
        {"names": ["Example Youth Club", "Ash Example, youth worker"], "phones": ["01632 960003"]}
    ]
    assert card["reporter"]["phones"] == ["01632 960001"]
    assert card["words"] == " ".join(FULL_EXAMPLE["concern"]["narrative"].split())[:MAX_EXCERPT_LENGTH]


@pytest.mark.parametrize(
    "submission",
    [
        {},
        {"children": [{}], "reporter": None, "concern": {"narrative": " "}},
        {"children": "x", "others": [1], "reporter": [], "concern": {"narrative": 3, "people_of_concern": {}}},
        {"children": [{"given_names": 1, "other_names": "Al", "estimated_age": True, "home_address": "here"}]},
        {"children": [{"identifiers": [1, {"value": 2}], "where_now": []}], "agencies": {"name": "x"}},
        {
            "concern": {
                "vehicles_of_concern": "x",
                "places_of_concern": [{"address": []}],
                "online": [],
                "narrative": "",
            }
        },
        {"concern": {"things_that_exist": [{"kind": "number_plate", "described": 1}, 2]}},
    ],
)
def test_a_card_of_little_or_of_nonsense_is_made_all_the_same(submission: dict[str, Any]) -> None:
    card = card_of_concern(submission)

    assert card["words"] == ""
    assert all(not child["names"] for child in card["children"])


def test_a_number_plate_among_things_is_a_vehicle_of_the_card() -> None:
    thing = {"kind": "number_plate", "described": "EX12 AMP, on a grey van"}

    card = card_of_addition({"concern": {"narrative": "More.", "things_that_exist": [thing, {"kind": "gift"}]}})

    assert card["vehicles"] == [{"described": "EX12 AMP, on a grey van"}]


@pytest.mark.parametrize("length", [1, 100, 5_000])
def test_a_card_has_512_or_1024_bytes_when_it_is_sealed(length: int) -> None:
    told = {"children": [{"given_names": "é" * length}], "concern": {"narrative": "ß" * length}}

    unsealed: Any = SimpleNamespace(seal=bytes)
    plaintext = seal_card(unsealed, card_of_concern(told), "4F7K-926W-0X37", at=A_TUESDAY)

    assert len(plaintext) in (LEAST_CARD, 2 * LEAST_CARD)


def test_a_concern_and_its_addition_have_sealed_cards_on_the_record(
    client: TestClient, settings: Settings, receipt: dict[str, Any], database: RawConnection
) -> None:
    reference = receipt["reference"]
    add(client, receipt, "Alex Example came home. " * 20)

    cards = cards_in(database)
    details = [json.loads(row[0]) for row in database.execute("SELECT detail FROM audit_entries ORDER BY number")]
    assert [each["card_sha256"] for each in details] == [
        hashlib.sha256(cards[reference, number]).hexdigest() for number in (0, 1)
    ]
    whole, added = (opened(settings, cards[reference, number]) for number in (0, 1))
    assert (whole["reference"], whole["received_at"]) == (reference, receipt["received_at"])
    assert whole["card"]["children"]
    assert added["card"]["words"] == ("Alex Example came home. " * 20)[:MAX_EXCERPT_LENGTH]


def test_a_test_concern_has_a_card_too(client: TestClient, context: AppContext, database: RawConnection) -> None:
    token = add_client(context.writer, name="example-sandbox", scopes=[Scope.SUBMIT], test=True, at=A_TUESDAY)
    headers = {"Authorization": f"Bearer {token}"}

    receipt = client.post("/v1/concerns", json=a_concern(test=True), headers=headers).json()

    assert set(cards_in(database)) == {(receipt["reference"], 0)}


def test_two_equal_concerns_have_cards_that_look_different(client: TestClient, database: RawConnection) -> None:
    for _ in range(2):
        client.post("/v1/concerns", json=a_concern())

    one, other = cards_in(database).values()
    assert one != other


@pytest.mark.slow
def test_erasure_takes_the_cards_with_the_texts(
    client: TestClient, desk: Desk, context: AppContext, receipt: dict[str, Any], database: RawConnection
) -> None:
    add(client, receipt)
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)

    desk.act(receipt["reference"], "erasure", reason="A made-up reason.")

    assert set(cards_in(database).values()) == {None}
    assert faults(context) == []


@pytest.mark.slow
@pytest.mark.embedded
def test_no_file_or_later_backup_has_bytes_of_an_erased_card(
    client: TestClient, desk: Desk, context: AppContext, settings: Settings, receipt: dict[str, Any], tmp_path: Path
) -> None:
    add(client, receipt)
    with raw_connection(settings.data_dir) as database:
        pieces = [sealed[PIECE] for sealed in cards_in(database).values()]
    before = [path for path, content in files_of(settings.data_dir).items() if any(each in content for each in pieces)]
    desk.act(receipt["reference"], "acknowledgement", up_to_addition=1)

    desk.act(receipt["reference"], "erasure", reason="A made-up reason.")
    wait_until(lambda: purge_remnants(context.engine) is Remnants.NONE)  # the service's own workers read too
    back_up(settings.data_dir, tmp_path / "backup.db", replace=False)

    after = {**files_of(settings.data_dir), tmp_path / "backup.db": (tmp_path / "backup.db").read_bytes()}
    assert before
    assert [path for path, content in after.items() if any(each in content for each in pieces)] == []


REFUSED = [
    "UPDATE cards SET sealed = :forged",
    "UPDATE cards SET sealed = NULL",
    "UPDATE cards SET addition = addition + 1",
    "DELETE FROM cards",
    "INSERT INTO cards SELECT reference, 7, :forged FROM concerns",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_the_database_refuses_a_card_without_its_entry(
    desk: Desk, receipt: dict[str, Any], database: RawConnection, statement: str
) -> None:
    desk.act(receipt["reference"], "acknowledgement")
    before = cards_in(database)

    with pytest.raises(Exception, match="a card"):
        database.execute(statement, {"forged": FORGED} if ":forged" in statement else {})

    assert cards_in(database) == before


TAMPERED = {
    "UPDATE cards SET sealed = :forged WHERE addition = 0": "its card is not the one that is recorded",
    "UPDATE cards SET sealed = NULL WHERE addition = 1": (
        "the card of addition 1 is missing, and no erasure is recorded"
    ),
    "DELETE FROM cards WHERE addition = 1": "the card of addition 1 is missing",
    "INSERT INTO cards SELECT reference, 7, :forged FROM concerns": "the card of addition 7 is not recorded",
}


@pytest.mark.slow
@pytest.mark.parametrize("statement", TAMPERED)
def test_a_changed_missing_or_added_card_is_found(
    client: TestClient, context: AppContext, receipt: dict[str, Any], database: RawConnection, statement: str
) -> None:
    add(client, receipt)
    drop_triggers(database)

    database.execute(statement, {"forged": FORGED} if ":forged" in statement else {})

    assert faults(context) == [TAMPERED[statement]]


@pytest.mark.slow
def test_cards_that_were_swapped_are_found(client: TestClient, context: AppContext, database: RawConnection) -> None:
    one, other = (raise_concern(client)["reference"] for _ in range(2))
    cards = cards_in(database)
    drop_triggers(database)

    for reference, sealed in ((one, cards[other, 0]), (other, cards[one, 0])):
        database.execute("UPDATE cards SET sealed = ? WHERE reference = ?", (sealed, reference))

    assert faults(context) == ["its card is not the one that is recorded"] * 2


@pytest.mark.slow
def test_an_erased_card_that_is_back_is_found(
    desk: Desk, context: AppContext, receipt: dict[str, Any], database: RawConnection
) -> None:
    desk.act(receipt["reference"], "acknowledgement")
    desk.act(receipt["reference"], "erasure", reason="A made-up reason.")
    drop_triggers(database)

    database.execute("UPDATE cards SET sealed = ?", (FORGED,))

    assert faults(context) == ["its card is there, although it was erased"]


@pytest.mark.slow
def test_resealing_seals_each_card_to_the_new_keys(
    client: TestClient,
    context: AppContext,
    settings: Settings,
    receipt: dict[str, Any],
    database: RawConnection,
    tmp_path: Any,
) -> None:
    add(client, receipt)
    before = {place: opened(settings, sealed) for place, sealed in cards_in(database).items()}

    result = resealed(context, settings, create_identity(tmp_path / "new.txt", at=A_TUESDAY))

    new = read_identities(tmp_path / "new.txt")
    assert (result.count, result.cards) == (2, 0)
    assert {place: json.loads(new.decrypt(sealed)) for place, sealed in cards_in(database).items()} == before
    assert faults(context) == []


@pytest.mark.slow
def test_resealing_makes_the_cards_that_are_missing(
    client: TestClient, context: AppContext, settings: Settings, receipt: dict[str, Any], database: RawConnection
) -> None:
    add(client, receipt)
    before = {place: opened(settings, sealed) for place, sealed in cards_in(database).items()}
    drop_triggers(database)
    database.execute("DELETE FROM cards")

    result = resealed(context, settings)

    acts = database.execute("SELECT act FROM audit_entries ORDER BY position").fetchall()
    assert (result.count, result.cards) == (0, 2)
    assert {place: opened(settings, sealed) for place, sealed in cards_in(database).items()} == before
    assert [act for (act,) in acts] == ["received", "added", "resealed", "resealed"]
    assert faults(context) == []
    assert resealed(context, settings).cards == 0


def card_as_before(submission: dict[str, Any]) -> dict[str, Any]:
    """Return the card as it was made before cards had addresses, vehicles and places."""
    card = json.loads(json.dumps(card_of_concern(submission)))
    for person in (*card["children"], *card["people"]):
        person.pop("address", None)
    return {name: card[name] for name in ("children", "people", "reporter", "words")}


@pytest.mark.slow
def test_resealing_makes_cards_of_the_older_shape_again_and_only_those(
    client: TestClient,
    context: AppContext,
    settings: Settings,
    database: RawConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newer = raise_concern(client, **FULL_EXAMPLE)["reference"]
    with monkeypatch.context() as older:
        older.setattr("app.services.concerns.submission.card_of_concern", card_as_before)
        reference = raise_concern(client, **FULL_EXAMPLE)["reference"]
    before = cards_in(database)

    result = resealed(context, settings)

    after = cards_in(database)
    assert (result.count, result.cards, result.unopened) == (0, 1, ())
    assert "vehicles" not in opened(settings, before[reference, 0])["card"]
    assert opened(settings, after[reference, 0])["card"] == opened(settings, after[newer, 0])["card"]
    assert after[newer, 0] == before[newer, 0]
    assert faults(context) == []
    assert resealed(context, settings).cards == 0


@pytest.mark.slow
def test_resealing_keeps_what_a_worker_typed_on_the_card_of_an_addition(
    client: TestClient,
    context: AppContext,
    settings: Settings,
    receipt: dict[str, Any],
    database: RawConnection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    richer = {"children": [{"names": ["Kit Example"]}], "people": [], "words": "Rang again."}
    monkeypatch.setattr("app.services.concerns.follow_up.card_of_addition", lambda _: richer)
    identity = settings.data_dir / "new.txt"
    add(client, receipt)

    same_keys = resealed(context, settings)
    new_keys = resealed(context, settings, create_identity(identity, at=A_TUESDAY))

    sealed = cards_in(database)[receipt["reference"], 1]
    assert (same_keys.cards, new_keys.count, new_keys.cards) == (0, 2, 0)
    assert json.loads(read_identities(identity).decrypt(sealed))["card"] == richer


@pytest.mark.slow
def test_an_identity_that_opens_no_current_text_finds_nothing_to_reseal(
    context: AppContext, receipt: dict[str, Any], tmp_path: Path
) -> None:
    del receipt
    create_identity(tmp_path / "retired.txt", at=A_TUESDAY)
    unsealer = read_identities(tmp_path / "retired.txt")

    result = reseal(context.engine, context.writer, unsealer, context.submissions.sealer, actor=AN_OPERATOR)

    assert (result.count, result.cards, result.unopened) == (0, 0, ())


def test_a_card_opens_for_each_key_and_no_other(
    settings: Settings, receipt: dict[str, Any], database: RawConnection
) -> None:
    del receipt
    (sealed,) = cards_in(database).values()

    with pytest.raises(UnsealingUnavailable):
        Unsealer((x25519.Identity.generate(),)).decrypt(sealed)
    assert opened(settings, sealed)["card"]
