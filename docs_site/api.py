"""Pages about the API: every operation and every schema of the OpenAPI document."""

from collections.abc import Iterator
from typing import Any

from docs_site.anchors import slugify
from docs_site.markdown import page, table

Member = dict[str, Any]
NOTE = "This page is made from the OpenAPI document of the service, which is at `/openapi.json`."
SCHEMAS = "schemas.md"
AS_SHOWN = ("enum", "const", "minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum", "pattern")


def resolved(document: Member) -> Member:
    """Return the document with every reference replaced by its target, except references to schemas."""

    def follow(value: Any) -> Any:
        if isinstance(value, list):
            return [follow(each) for each in value]
        if not isinstance(value, dict):
            return value
        _, _, kind, name = ("", "", "", "", *str(value.get("$ref", "")).split("/"))[-4:]
        if kind and kind != "schemas":
            return follow(document["components"][kind][name])
        return {key: follow(inner) for key, inner in value.items()}

    return {**document, **{part: follow(document[part]) for part in ("paths", "webhooks") if part in document}}


def operations_page(document: Member) -> str:
    """Return a page with each operation, by subject."""
    paths = resolved(document)["paths"]
    blocks = ["# Every operation", NOTE]
    for tag in document["tags"]:
        blocks += [f"## {tag['name']}", tag["description"]]
        for path, methods in paths.items():
            for method, operation in methods.items():
                if tag["name"] in operation["tags"]:
                    blocks += _operation(method, path, operation)
    return page(*blocks)


def schemas_page(document: Member) -> str:
    """Return a page with each schema, by name."""
    blocks = ["# Every schema", NOTE]
    for name, schema in sorted(document["components"]["schemas"].items()):
        blocks += [f"## {name}", _text(schema.get("description", "")), _limits(schema), _members(schema)]
    return page(*blocks)


def _operation(method: str, path: str, operation: Member) -> Iterator[str]:
    yield f"### {operation['summary']}"
    yield f"`{method.upper()} {path}`, for {_callers(operation)}"
    yield _text(operation.get("description", ""))
    parameters = operation.get("parameters", [])
    yield table(
        ["parameter", "in", "type", "required", "meaning"],
        [
            (f"`{each['name']}`", each["in"], _type(each["schema"]), _yes(each.get("required")), each["description"])
            for each in parameters
        ],
    )
    for media, content in operation.get("requestBody", {}).get("content", {}).items():
        yield f"Body: `{media}`, {_type(content.get('schema', {}))}"
    yield table(["answer", "meaning", "content"], map(_response, operation["responses"].items()))


def _callers(operation: Member) -> str:
    """Return in words who may call the operation."""
    scopes = [scope for each in operation.get("security", []) for names in each.values() for scope in names]
    if scopes:
        return f"clients with the scope `{scopes[0]}`"
    needed = [name for each in operation.get("security", []) for name in each]
    return "anyone" if not needed or {} in operation["security"] else f"callers with `{needed[0]}`"


def _response(item: tuple[str, Member]) -> tuple[str, str, str]:
    status, response = item
    contents = [f"`{media}` {_type(each.get('schema', {}))}" for media, each in response.get("content", {}).items()]
    return status, response.get("description", ""), ", ".join(contents)


def _members(schema: Member) -> str:
    required = schema.get("required", [])
    rows = [
        (f"`{name}`", _type(each), _yes(name in required), f"{each.get('description', '')} {_limits(each)}")
        for name, each in schema.get("properties", {}).items()
    ]
    return table(["member", "type", "required", "meaning"], rows)


def _type(schema: Member) -> str:
    """Return the type of a value in words, with a link if it is a named schema."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f"[{name}]({SCHEMAS}#{slugify(name)})"
    for key in ("anyOf", "oneOf", "allOf"):
        if key in schema:
            return " or ".join(dict.fromkeys(map(_type, schema[key])))
    if isinstance(kinds := schema.get("type"), list):
        return " or ".join(_type(schema | {"type": kind}) if kind != "null" else kind for kind in kinds)
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "")


def _limits(schema: Member) -> str:
    return ", ".join(f"{name}: `{schema[name]}`" for name in AS_SHOWN if name in schema)


def _text(markdown: str) -> str:
    """Return the description with `<` escaped, so that no part is read as an HTML tag."""
    return markdown.replace("<", "&lt;")


def _yes(value: object) -> str:
    return "yes" if value else ""
