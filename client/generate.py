"""Write the generated files of the client, or compare them: the models, and the client for synchronous programs.

Run from the root of the repository: `python client/generate.py`, or `python client/generate.py --check`.
"""

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from app.config import Settings
from app.main import create_app

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "client" / "src" / "guidance_client"
MADE = "# Made by client/generate.py: change what it is made from, and make it again.\n"
HELP = "A file of the client is not what client/generate.py makes: run it."
SYNCHRONOUS = (
    (r"\bAsyncGuidanceClient\b", "GuidanceClient"),
    (r"\bAsyncTransport\b", "Transport"),
    (r"\bhttpx\.AsyncClient\b", "httpx.Client"),
    (r"\bhttpx\.AsyncBaseTransport\b", "httpx.BaseTransport"),
    (r"\bAsyncIterator\b", "Iterator"),
    (r"\b_async\b", "_sync"),
    (r"\bfrom anyio import sleep\b", "from time import sleep"),
    (r"\b__aenter__\b", "__enter__"),
    (r"\b__aexit__\b", "__exit__"),
    (r"\baclose\b", "close"),
    (r"\basync (def|with|for)\b", r"\1"),
    (r"\bawait ", ""),
)


def synchronous(source: str) -> str:
    """Return the source of an asynchronous module, converted to a synchronous one."""
    for pattern, replacement in SYNCHRONOUS:
        source = re.sub(pattern, replacement, source)
    source = MADE + source
    for command in ("check --select I --fix --quiet", "format"):
        arguments = [sys.executable, "-m", "ruff", *command.split(), "-"]
        source = subprocess.run(arguments, input=source, stdout=subprocess.PIPE, check=True, text=True, cwd=ROOT).stdout
    return source


def models() -> str:
    """Return the models of the OpenAPI document, as typed dictionaries."""
    with tempfile.TemporaryDirectory() as folder:
        document, made = Path(folder) / "openapi.json", Path(folder) / "models.py"
        document.write_text(json.dumps(create_app(Settings(data_dir=Path(folder))).openapi()), encoding="utf-8")
        subprocess.run(
            [
                *(sys.executable, "-m", "datamodel_code_generator"),
                *("--input", str(document), "--input-file-type", "openapi", "--output", str(made)),
                *("--output-model-type", "typing.TypedDict", "--no-use-closed-typed-dict", "--disable-timestamp"),
                *("--target-python-version", "3.11", "--use-union-operator", "--use-schema-description"),
                *("--formatters", "builtin"),
            ],
            check=True,
        )
        return MADE + made.read_text(encoding="utf-8")


def generated() -> dict[Path, str]:
    """Return the expected text of every generated file, by path."""
    sources = sorted((PACKAGE / "_async").glob("*.py"))
    made = {PACKAGE / "_sync" / each.name: synchronous(each.read_text(encoding="utf-8")) for each in sources}
    return made | {PACKAGE / "models.py": models()}


def main() -> None:
    """Write the files or, with `--check`, fail if one differs from its expected text."""
    for path, text in generated().items():
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            sys.exit(HELP)


if __name__ == "__main__":
    main()
