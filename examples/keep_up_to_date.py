"""Keep a copy of every guide in a file, and fetch only what changed: a start for your own system.

Run `python examples/keep_up_to_date.py http://127.0.0.1:8000 copy.json` every few minutes. It needs httpx, and no key.
Wherever you show the indicators of an edition, show its cautions with them. Never count or score them.
"""

import datetime as dt
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

import httpx

TIMEOUT_SECONDS = 15
FEED, GUIDES = "/v1/feed.json", "/v1/guides"
EMPTY: dict[str, Any] = {"feed_etag": "", "confirmed_at": None, "editions": {}}
Edition = dict[str, Any]


def digest_of(edition: Edition) -> str:
    """Return the digest of an edition's words: of the members that it names in `digest_of`, without empty ones."""
    content = {name: edition[name] for name in edition["digest_of"]}
    canonical = json.dumps(_without_empty(content), ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(canonical.encode()).hexdigest()}"


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        pruned = {name: _without_empty(member) for name, member in value.items()}
        return {name: member for name, member in pruned.items() if member not in (None, [], {})}
    return [_without_empty(member) for member in value] if isinstance(value, list) else value


def read_copy(file: Path) -> dict[str, Any]:
    """Return the copy. An edition whose words do not have its digest is left out, and so it is fetched again."""
    try:
        copy: dict[str, Any] = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return EMPTY
    whole = {guide: edition for guide, edition in copy["editions"].items() if digest_of(edition) == edition["digest"]}
    return copy if len(whole) == len(copy["editions"]) else EMPTY | {"editions": whole}


def write_copy(file: Path, copy: dict[str, Any]) -> None:
    """Replace the copy in one step, so that a reader never sees half of it."""
    part = file.with_suffix(".part")
    part.write_text(json.dumps(copy, ensure_ascii=False), encoding="utf-8")
    part.replace(file)


def list_current(service: httpx.Client) -> dict[str, dict[str, Any]]:
    """Return every guide that has a current edition, with the edition's number, digest and links."""
    found, following = {}, {}
    while following is not None:
        page = service.get(GUIDES, params={"limit": 200, **following}).raise_for_status().json()
        found |= {each["guide"]: each for each in page["guides"]}
        following = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    return found


def fetch(service: httpx.Client, path: str, digest: str) -> Edition:
    """Return that edition, once its words have the digest that the list of guides gives."""
    edition: Edition = service.get(path).raise_for_status().json()
    if digest_of(edition) != digest:
        raise ValueError(f"{path}: the words do not have the digest")
    return edition


def update(service: httpx.Client, copy: dict[str, Any]) -> dict[str, Any]:
    """Return the copy as it should be now. The feed changes whenever an edition is published or withdrawn."""
    feed = service.get(FEED, headers={"If-None-Match": copy["feed_etag"]} if copy["feed_etag"] else {})
    confirmed_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
    if feed.status_code == httpx.codes.NOT_MODIFIED:
        print("nothing changed")
        return copy | {"confirmed_at": confirmed_at}
    etag, stored, editions = feed.raise_for_status().headers["ETag"], copy["editions"], {}
    for guide, listed in list_current(service).items():
        held = stored.get(guide)
        if held is None or (held["edition"], held["digest"]) != (listed["edition"], listed["digest"]):
            held = fetch(service, listed["links"]["edition"], listed["digest"])
            print(f"{guide}: edition {held['edition']} is stored")
        editions[guide] = held
    for guide in stored.keys() - editions.keys():
        print(f"{guide}: withdrawn, and removed from the copy")
    return {"feed_etag": etag, "confirmed_at": confirmed_at, "editions": editions}


def main() -> None:
    """Update the copy; leave it as it is, and end with exit status 1, if the service does not answer as it should."""
    address, file = sys.argv[1], Path(sys.argv[2])
    copy = read_copy(file)
    try:
        with httpx.Client(base_url=address, timeout=TIMEOUT_SECONDS) as service:
            write_copy(file, update(service, copy))
    except (httpx.HTTPError, ValueError) as failure:
        sys.exit(f"The copy was not updated (last confirmed: {copy['confirmed_at']}). {failure}")


if __name__ == "__main__":
    main()
