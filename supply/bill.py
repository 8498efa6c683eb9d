"""A bill of materials (CycloneDX): `python -m supply.bill BILL [IMAGE]`.

Without IMAGE, the bill is that of the wheel: the locked packages, and the packages inside the desk's script if the
script was built. IMAGE is an archive of a container image. Then the bill has what is in the image: its locked packages,
its Debian packages, and the packages inside the desk's script. A Python package in the image that is not locked is an
error.
"""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from email import message_from_string
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app.build import VERSION
from supply.archive import read_files
from supply.licences import recorded
from supply.locks import ROOT, bundled_packages

Component = dict[str, Any]
SCRIPT = "app/pages/static/unseal.js"
STATUS = "/var/lib/dpkg/status"
INSTALLED = "*.dist-info/METADATA"
OWN = "one-minute-guide"


class NotLocked(Exception):
    """An image contains a Python package that no lock file names."""


def bill_of_wheel() -> Component:
    """Return the bill of what an installation of the wheel contains."""
    document = _locked()
    if (ROOT / SCRIPT).is_file():
        document["components"] += list(_inside_the_script())
    return document


def bill_of_image(archive: Path) -> Component:
    """Return the bill of what is in the image. Raise `NotLocked` if the image has a Python package without a lock."""
    files = read_files(archive, wanted=(STATUS, INSTALLED, SCRIPT))
    packages = {_installed(path) for path in files if path.endswith("/METADATA")}
    installed = {each for each in packages if not each.startswith(f"{OWN}==")}
    document = _locked()
    locked = {_pinned(each): each for each in document["components"]}
    if strangers := installed - locked.keys():
        raise NotLocked(f"in the image, and not in requirements/serve.txt: {', '.join(sorted(strangers))}")
    document["components"] = [each for pinned, each in locked.items() if pinned in installed]
    absent = {each["bom-ref"] for pinned, each in locked.items() if pinned not in installed}
    document["dependencies"] = [each for each in document["dependencies"] if each["ref"] not in absent]
    for each in document["dependencies"]:
        if "dependsOn" in each:
            each["dependsOn"] = [ref for ref in each["dependsOn"] if ref not in absent]
    if any(path.endswith(SCRIPT) for path in files):
        document["components"] += list(_inside_the_script())
    document["components"] += list(debian_packages(files.get(STATUS, b"").decode()))
    return document


def debian_packages(status: str) -> Iterator[Component]:
    """Yield a component for each package that dpkg's status file lists as installed."""
    for paragraph in filter(str.strip, status.split("\n\n")):
        fields = message_from_string(paragraph)
        name, version, architecture = fields["Package"], fields["Version"], fields["Architecture"]
        if fields["Status"].endswith(" installed"):
            purl = f"pkg:deb/debian/{quote(name)}@{quote(version)}?arch={architecture}"
            yield {"type": "library", "bom-ref": f"deb-{name}", "name": name, "version": version, "purl": purl}


def _locked() -> Component:
    """Return a bill of the packages in requirements/serve.txt, with hashes and licences."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bill.json"
        options = ["--output-reproducible", "--pyproject", "pyproject.toml", "--of", "JSON", "--output-file", str(file)]
        command = [sys.executable, "-m", "cyclonedx_py", "requirements", *options, "requirements/serve.txt"]
        subprocess.run(command, cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
        document: Component = json.loads(file.read_text(encoding="utf-8"))
    document["metadata"]["component"]["version"] = VERSION
    terms = recorded()
    for each in document["components"]:
        if _pinned(each) in terms:
            each["licenses"] = _licences(terms[_pinned(each)])
    return document


def _inside_the_script() -> Iterable[Component]:
    return [
        {
            "type": "library",
            "bom-ref": f"npm-{each.name}-{each.version}",
            "name": each.name,
            "version": each.version,
            "licenses": _licences(each.terms),
            "purl": f"pkg:npm/{quote(each.name)}@{each.version}",
        }
        for each in bundled_packages()
    ]


def _licences(terms: str) -> list[Component]:
    return [{"license": {"name": terms}}]


def _pinned(component: Component) -> str:
    """Return `name==version`, as in lock files. One name may occur twice, with versions for different Pythons."""
    return f"{component['name']}=={component['version']}"


def _installed(path: str) -> str:
    """Return `name==version`, as in lock files. `path` is a file in the folder with the package's metadata."""
    name, _, version = Path(path).parent.name.removesuffix(".dist-info").partition("-")
    return f"{re.sub(r'[-_.]+', '-', name).lower()}=={version}"


if __name__ == "__main__":
    bill, *images = map(Path, sys.argv[1:])
    try:
        written = bill_of_image(images[0]) if images else bill_of_wheel()
    except NotLocked as refusal:
        sys.exit(str(refusal))
    bill.write_text(json.dumps(written, indent=2) + "\n", encoding="utf-8")
    print(f"{bill}: {len(written['components'])} components")
