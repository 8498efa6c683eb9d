"""Every regular expression of the service: where it stands, and which methods are called on it.

`python -m tests.support.patterns` names those whose time can grow with the square of a text. A pattern that is made of
others is read as it is when the service runs.
"""

import ast
import importlib
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path
from typing import Any

from tests.support.repeats import SEARCHES, faults_of

ROOT = Path(__file__).parents[2]
METHODS = SEARCHES | {"match", "fullmatch"}


@dataclass(frozen=True)
class Found:
    """A pattern, the line that writes it, and the methods that are called on it. `is_rust` is one of pydantic's."""

    place: str
    pattern: re.Pattern[Any]
    methods: frozenset[str]
    is_rust: bool = False


@dataclass
class Sources:
    """The calls of `re`, and the `pattern=` of pydantic, in each module of the service."""

    found: list[Found] = field(default_factory=list)
    hidden: list[str] = field(default_factory=list)
    """The places of patterns that are made of local names, so that this check cannot see them."""
    _trees: dict[Path, ast.Module] = field(default_factory=dict)
    _calls: dict[str, set[str]] = field(default_factory=dict)

    def read(self, files: Sequence[Path]) -> "Sources":
        """Read each file, and import its module."""
        self._trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in files}
        for tree in self._trees.values():
            for node in ast.walk(tree):
                if isinstance(node, ast.Attribute) and node.attr in METHODS and (name := _name_of(node.value)):
                    self._calls.setdefault(name, set()).add(node.attr)
        for path, tree in self._trees.items():
            self._read_module(path, tree)
        return self

    def _read_module(self, path: Path, tree: ast.Module) -> None:
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for parent in ast.walk(tree):
            for node in ast.iter_child_nodes(parent):
                for written, methods, is_rust in self._written(node, parent, tree):
                    place = f"{path.relative_to(ROOT)}:{node.lineno}"  # type: ignore[attr-defined]  # all have a line
                    names = vars(importlib.import_module(module))  # only of a module that has patterns
                    try:
                        made = eval(compile(ast.Expression(written), place, "eval"), names)  # noqa: S307  # own source
                    except NameError:
                        self.hidden.append(place)
                    else:
                        if isinstance(made, str | bytes | re.Pattern):
                            self.found.append(Found(place, re.compile(made), frozenset(methods), is_rust))

    def _written(self, node: ast.AST, parent: ast.AST, tree: ast.Module) -> Iterator[tuple[ast.expr, set[str], bool]]:
        """Yield the expression of each pattern of the node, and the methods that are called on it."""
        if isinstance(node, ast.keyword) and node.arg == "pattern":
            yield node.value, {"search"}, True
        if (
            not isinstance(node, ast.Call)
            or not isinstance(node.func, ast.Attribute)
            or _name_of(node.func.value) != "re"
        ):
            return
        if node.func.attr == "compile":
            yield node, self._methods_of(parent, tree), False
        elif node.func.attr in METHODS:
            flags = next((each.value for each in node.keywords if each.arg == "flags"), None)
            call = ast.Call(ast.Attribute(ast.Name("re", ast.Load()), "compile", ast.Load()), [node.args[0]], [])
            call.args += [flags] if flags else []
            yield ast.fix_missing_locations(call), {node.func.attr}, False

    def _methods_of(self, parent: ast.AST, tree: ast.Module) -> set[str]:
        """Return the methods that are called on what is compiled there: by its name, or else any in the module."""
        if isinstance(parent, ast.Attribute):
            return {parent.attr}
        target = parent.targets[0] if isinstance(parent, ast.Assign) else getattr(parent, "target", None)
        name = parent.arg if isinstance(parent, ast.keyword) else _name_of(target)
        own = self._calls.get(name or "", set())
        is_passed_on = not own or any(_is_passed_on(node, name) for node in ast.walk(tree))
        return own | (_called_in(tree) if is_passed_on else set()) or {"search"}


def _name_of(node: object) -> str | None:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else None


def _is_passed_on(node: ast.AST, name: str | None) -> bool:
    """Return True if the name is in a tuple, a list or an argument: its methods may be called by another name."""
    parts = node.elts if isinstance(node, ast.Tuple | ast.List) else node.args if isinstance(node, ast.Call) else ()
    return any(isinstance(each, ast.Name) and each.id == name for each in parts)


def _called_in(tree: ast.Module) -> set[str]:
    called = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute))
    own = METHODS - {"split"}  # texts have a method of that name too
    return reduce(set.union, ({each.func.attr} & own for each in called), set())  # type: ignore[attr-defined]


def patterns_of_the_service() -> Sources:
    """Return every pattern in `app`."""
    return Sources().read(sorted((ROOT / "app").rglob("*.py")))


def main() -> int:
    """Name the patterns that can take the square of a text's length, and return 1 if there are any."""
    sources = patterns_of_the_service()
    told = [f"{each}: compile this pattern at the top of the module, so that it is checked" for each in sources.hidden]
    told += [
        f"{each.place}: {fault}: {each.pattern.pattern!r}"
        for each in sources.found
        if not each.is_rust
        for fault in faults_of(each.pattern, each.methods)
    ]
    sys.stdout.write("".join(f"{each}\n" for each in told))
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
