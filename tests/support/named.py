"""What texts name, and what of it is not there: commands, targets of make, settings, routes and files."""

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from typer.main import get_command

from app.cli.commands import app as command
from app.cli.lazy_commands import SITE, LazyCommand
from app.config import OF_CALLERS, OF_KUBERNETES, PREFIX, Settings, SettingsRefused, parse_settings
from app.pages.languages import language_of

ROOT = Path(__file__).parents[2]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z-]+)\s*:(?!=)", MAKEFILE, flags=re.MULTILINE))
VARIABLES = set(re.findall(r"\$\((?:or \$\()?([A-Z_]+)\)", MAKEFILE))
PROGRAMS = {"test": "tests/conftest.py", "bench": "bench/__main__.py", "audit": "supply/audit.py"}
"""What takes the ARGS of a target, besides `guidance serve`."""

BLOCK = re.compile(r"^( *)```.*?^\1```$", flags=re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`([^`\n]+)`")
COMMENT = re.compile(r"(?:^|(?<=\s))#[^\n]*", flags=re.MULTILINE)
HERE_DOCUMENT = re.compile(r"<<-? ?['\"]?(\w+)['\"]?([^\n]*)\n.*?^\s*\1$", flags=re.MULTILINE | re.DOTALL)
BEFORE_A_COMMAND = re.compile(r"\w+=.*|if|then|else|do|while|!|exec|export|sudo")
IN_A_LIST = re.compile(r"""\[\s*(?:"?CMD"?,\s*)?"?guidance"?\s*,([^\]\n]*)\]""")
IN_A_LINE = re.compile(r"(?:^[#; ]+|: |`|/bin/|one-minute-guide )guidance ([a-z-][^`#\n]*)", flags=re.MULTILINE)
SETTING = re.compile(rf"\b{PREFIX}([A-Z0-9_]*)(\*?)")
ROUTE = re.compile(r"(?:(GET|HEAD|POST|PUT|PATCH|DELETE) )?(/[^\s?#]*)(?:\?([^\s#]*))?(?:#\S*)?")
QUERY = re.compile(r"\?(\w+)=\S*")
OF_A_MACHINE = re.compile(r"/(?:data|etc|opt|tmp|var)\b")


def commands_of_file(text: str) -> Iterator[list[str]]:
    """Yield the words after `guidance` in each list, comment, sentence or unit of a file that is not a document."""
    text = re.sub(r"\{\{.*?\}\}", "TEMPLATE", text)
    for words in [*IN_A_LIST.findall(text), *IN_A_LINE.findall(text)]:
        yield [word for word in re.split(r"[\s,\"']+", words) if word]


def inline_code(text: str) -> list[str]:
    """Return what stands between backticks in the running text of a document, each once."""
    return list(dict.fromkeys(INLINE.findall(BLOCK.sub("", text))))


def simple_commands(shell: str) -> Iterator[list[str]]:
    """Yield the words of each command of a script, those inside `$(...)` too."""
    shell = COMMENT.sub("", HERE_DOCUMENT.sub(r"\2", shell).replace("\\\n", " "))
    lexer = shlex.shlex(shell, posix=True, punctuation_chars="();<>|&\n")
    lexer.whitespace, lexer.commenters, lexer.whitespace_split = " \t", "", True
    words: list[str] = []
    for word in [*lexer, "\n"]:
        if set(word) <= set("();<>|&\n"):
            while words and BEFORE_A_COMMAND.fullmatch(words[0]):
                del words[0]
            if words:
                yield words
            words = []
        else:
            words.append(word)
            for inner in re.findall(r"\$\(([^()]*)\)", word):
                yield from simple_commands(inner)


def shell_faults(shell: str) -> Iterator[str]:
    """Yield what the commands `guidance` and `make` of a script name that is not there."""
    for words in simple_commands(shell):
        if words[0] == "make":
            yield from make_faults(words[1:])
        for place, word in enumerate(words):
            begins = place == 0 or words[place - 1].startswith("one-minute-guide")
            if word.endswith("/bin/guidance") or (word == "guidance" and begins):
                yield from command_faults(words[place + 1 :])


@cache
def program() -> Any:
    """Return the command `guidance` with everything below it."""
    return get_command(command)


def command_faults(words: Sequence[str]) -> Iterator[str]:
    """Yield what the words after `guidance` name that is not there: a command, an option, a value, an argument."""
    named = program()
    left = list(words)
    while hasattr(named, "commands") and left and not left[0].startswith("-"):
        inner = named.commands.get(left[0]) or named.commands.get(SITE)
        if inner is None:
            yield f"guidance {' '.join(words)}: no command {left[0]}"
            return
        if left[0] in named.commands:
            del left[0]
        named = inner
    yield from (f"guidance {' '.join(words)}: {fault}" for fault in _faults_of_options(_loaded(named).params, left))


@cache
def _loaded(command: Any) -> Any:
    return command.load() if isinstance(command, LazyCommand) else command


def _faults_of_options(declared: Iterable[Any], words: Sequence[str]) -> Iterator[str]:
    options = {name: each for each in declared for name in (*each.opts, *each.secondary_opts) if name[0] == "-"}
    arguments = [each for each in declared if not each.opts[0].startswith("-")]
    places = sum(each.nargs for each in arguments) if all(each.nargs > 0 for each in arguments) else len(words)
    left = list(words)
    while left:
        name, is_set, value = left.pop(0).partition("=")
        option = options.get(name)
        if not name.startswith("-") or name == "-":
            places -= 1
            if places < 0:
                yield f"no place for {name}"
        elif option is None and name != "--help":
            yield f"no option {name}"
        elif option is not None and not option.is_flag:
            value = value if is_set else "".join(left[:1])
            del left[: not is_set]
            choices = {str(each) for each in option.type_descriptor.choices or ()}
            if choices and value.islower() and value not in choices:
                yield f"no {name} {value}"


def make_faults(words: Sequence[str]) -> Iterator[str]:
    """Yield what the words after `make` name that is not there: a target, a variable, or an option in ARGS."""
    targets = [each for each in words if "=" not in each]
    yield from (f"make {each}: no such target" for each in targets if each not in TARGETS)
    for name, _, value in (each.partition("=") for each in words if "=" in each):
        if name not in VARIABLES:
            yield f"make {' '.join(words)}: no variable {name}"
        if name == "ARGS" and targets == ["serve"]:
            yield from command_faults(["serve", *shlex.split(value)])
        elif name == "ARGS":
            program = (ROOT / PROGRAMS[targets[0]]).read_text(encoding="utf-8")
            options = [each for each in shlex.split(value) if each.startswith("--")]
            yield from (f"make {targets[0]}: no option {each}" for each in options if f'"{each}"' not in program)


def setting_faults(text: str) -> Iterator[str]:
    """Yield the settings that the text names and that are not there. `GUIDANCE_OPENID_*` are those that begin so."""
    for short, star in SETTING.findall(text):
        name = short.lower()
        is_beginning = not name or (star and any(each.startswith(name) for each in Settings.model_fields))
        is_known = name in Settings.model_fields or name in OF_CALLERS or OF_KUBERNETES.fullmatch(short)
        if not is_beginning and not is_known:
            yield f"{PREFIX}{short}{star}"


def value_faults(codes: Iterable[str]) -> Iterator[str]:
    """Yield what is refused of each `NAME=value`. That a setting needs another is none of that."""
    for code in codes:
        name, is_set, value = code.partition("=")
        if is_set and SETTING.fullmatch(name) and "..." not in value:
            try:
                parse_settings({name: value.strip("'")})
            except SettingsRefused as refusal:
                yield from (line for line in str(refusal).splitlines() if f" needs {PREFIX}" not in line)


class Routes:
    """The routes of a service, with the names of the parameters in their queries."""

    def __init__(self, service: FastAPI) -> None:
        contexts = [each for each in iter_route_contexts(service.routes) if each.path]
        self._known = [(each.methods or (), _pattern(each.path or ""), set(_query_of(each))) for each in contexts]

    def faults(self, codes: Iterable[str]) -> Iterator[str]:
        """Yield each route, and each `?name=`, that is not there. `...` is anything. A language may be before."""
        for code in codes:
            route, query = ROUTE.fullmatch(code), QUERY.fullmatch(code)
            if route and not any(self._find(route)) and not (OF_A_MACHINE.match(route[2]) and not route[1]):
                yield code
            if query and not any(query[1] in names for _, _, names in self._known):
                yield code

    def _find(self, route: re.Match[str]) -> Iterator[bool]:
        method, path, query = route.groups()
        _, path = language_of(path)
        beginning, names = path.removesuffix("..."), set(re.findall(r"(?:^|&)(\w+)", query or ""))
        for methods, pattern, known in self._known:
            fits = pattern.match(f"{beginning}x") if path.endswith("/...") else pattern.fullmatch(path)
            yield bool(fits) and (not method or method in methods) and names <= known


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{[^}]*\})", path)
    return re.compile("".join("[^/]+" if each.startswith("{") else re.escape(each) for each in parts))


def _query_of(route: Any) -> Iterator[str]:
    dependants = [route.dependant] if getattr(route, "dependant", None) else []
    for dependant in dependants:
        dependants += dependant.dependencies
        for each in dependant.query_params:
            fields = getattr(each.field_info.annotation, "model_fields", {})
            yield from (field.alias or name for name, field in fields.items()) if fields else (each.alias,)
