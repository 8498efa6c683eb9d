"""The webhooks of the OpenAPI document: what is pushed, with a schema for every kind of event."""

import re
from typing import Any

from app.models.events.responses import EVENT_DATA, MEANINGS, EventResponse
from app.models.events.tables import EventKind
from app.web.negotiation import JSON
from app.web.openapi.examples import SCHEMA_PREFIX, JsonObject, build_example

DELIVERY_HEADERS = {
    "webhook-id": ("The same on every attempt.", "msg_0123456789abcdef0123456789abcdef"),
    "webhook-timestamp": ("When this attempt was made, in seconds since 1970.", "1795512600"),
    "webhook-signature": (
        "`v1,` and the HMAC-SHA256, in base64, of id, timestamp and body joined by dots; with two secrets, two.",
        "v1,c2lnbmF0dXJl",
    ),
}
RESPONSES = {
    "204": {"description": "Received; any 2xx will do. Anything else is tried again."},
    "410": {"description": "Gone: the webhook is switched off."},
}


def add_webhooks(document: JsonObject) -> None:
    """Add a webhook for every kind of event, and the schemas of what is pushed."""
    schemas = document["components"]["schemas"]
    for model in EVENT_DATA.values():
        schemas[model.__name__] = _schema(model)
    envelope = _schema(EventResponse)
    for kind in EventKind:
        name = f"{re.sub(r'[._]', '', kind.value.title())}Event"
        schemas[name] = _event(envelope, kind, name)
        document.setdefault("webhooks", {})[kind.value] = {"post": _operation(kind, name, schemas)}


def _schema(model: Any) -> JsonObject:
    schema: JsonObject = model.model_json_schema(mode="serialization", ref_template=SCHEMA_PREFIX + "{model}")
    schema.pop("$defs", None)  # the document has them
    return schema


def _event(envelope: JsonObject, kind: EventKind, name: str) -> JsonObject:
    """Return the schema of the event: the envelope, with this type and its own data."""
    own = {
        "type": {"type": "string", "const": kind.value, "description": "What happened.", "examples": [kind.value]},
        "data": {
            "$ref": SCHEMA_PREFIX + EVENT_DATA[kind.value.partition(".")[0]].__name__,
            "description": "Which it is.",
        },
    }
    return envelope | {
        "title": name,
        "description": MEANINGS[kind],
        "properties": envelope["properties"] | own,
    }


def _operation(kind: EventKind, name: str, schemas: JsonObject) -> JsonObject:
    body = {"$ref": SCHEMA_PREFIX + name}
    return {
        "tags": ["Events"],
        "summary": f"Receive {kind.value}",
        "description": f"{MEANINGS[kind]} Signed as Standard Webhooks 1.0 says, and sent until it is received.",
        "operationId": f"receive_{kind.value.replace('.', '_')}",
        "security": [],
        "parameters": [
            {
                "name": header,
                "in": "header",
                "required": True,
                "description": description,
                "schema": {"type": "string"},
                "example": example,
            }
            for header, (description, example) in DELIVERY_HEADERS.items()
        ],
        "requestBody": {"required": True, "content": {JSON: {"schema": body, "example": build_example(body, schemas)}}},
        "responses": RESPONSES,
    }
