"""Add the Debian packages of a root to a bill of materials (CycloneDX), in place: bill.py BILL PACKAGES."""

import json
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote


def packages(files: list[str]) -> list[dict[str, Any]]:
    """Return a component for each name of a package's file, `NAME_VERSION_ARCHITECTURE.deb`."""
    parted = [unquote(file.removesuffix(".deb")).split("_") for file in sorted(files) if file.endswith(".deb")]
    return [
        {
            "type": "library",
            "bom-ref": f"deb-{name}",
            "name": name,
            "version": version,
            "purl": f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}",
        }
        for name, version, architecture in parted
    ]


if __name__ == "__main__":
    bill, listed = map(Path, sys.argv[1:])
    document = json.loads(bill.read_text(encoding="utf-8"))
    document["components"] += packages(listed.read_text(encoding="utf-8").split())
    bill.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
