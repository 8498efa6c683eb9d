"""Extensions: what only some councils need. Each folder here is one, and its `EXTENSION` says all that it adds.

This file imports none of them, and all of `app/` may import it. `docs/architecture.md` shows how to write one.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType

from app.errors import SetupError

NONE = "none"
PARTS = {"routers", "jobs", "checks", "tables", "verification"}
Words = Mapping[str, str]
Places = Mapping[str, tuple[str, str]]
"""Function of each command as `module:function`, with an example, by the name of the command."""


@dataclass(frozen=True, eq=False)
class Extension:
    """`package` is its `__name__`; all else is what it adds.

    - `parts`: which of `PARTS` it has, each a module. `routers` has ROUTERS, of the API and of pages; `jobs` a function
      that makes background jobs from the application's context; `checks` has CHECKS of `guidance doctor`; `tables` has
      its rows; `verification` a function `verify` that yields the faults of its rows, given the engine.
    - `commands`: by group (`guidance` itself, or such as `desk`) and heading in the help.
    - `links`: paths by relation, for the index and for the heads of pages.
    - `limits`: by method and first part of the path, such as `POST /mcp`, the rate limit.
    - `without_pages`: first parts of paths that are no pages, in no language.
    - `uncached`: paths of public reads that depend on the time.
    - `english_only`, `same_origin_only`: first parts of paths of pages without translations, and without CORS headers.
    - `files`: paths that take a file, and so a larger body.
    - `menu`, `oversight`: of the desk, by path, the words and the attribute of a visitor who may go there.

    A folder `templates` has the templates of its pages, which find those of the trunk.
    Tables and verification are used also while it is off: what it has stored stays, and is verified.
    """

    package: str
    parts: Collection[str] = ()
    commands: Mapping[tuple[str, str | None], Places] = field(default_factory=dict)
    links: Words = field(default_factory=dict)
    limits: Words = field(default_factory=dict)
    without_pages: tuple[str, ...] = ()
    uncached: tuple[str, ...] = ()
    english_only: tuple[str, ...] = ()
    same_origin_only: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    menu: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    oversight: Mapping[str, tuple[str, str]] = field(default_factory=dict)


def installed() -> dict[str, Extension]:
    """Return every extension, whether on or off."""
    names = sorted(each.name for each in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").EXTENSION for name in names}


def switched_on(names: Collection[str] | None) -> tuple[Extension, ...]:
    """Return, by name, the extensions that `GUIDANCE_EXTENSIONS` names, or all if it is unset.

    Raise `SetupError` for an unknown name, and for an installed extension that does not name one of its `PARTS`.
    """
    found = installed()
    chosen = found.keys() if names is None else set(names) - ({NONE} if len(names) == 1 else set())
    if unknown := ", ".join(sorted(chosen - found.keys())):
        raise SetupError(f"GUIDANCE_EXTENSIONS: {unknown} is not one of {', '.join(found)}, and not `{NONE}` alone")
    for name, extension in found.items():
        present = {each.name for each in iter_modules(import_module(extension.package).__path__)}
        if forgotten := PARTS & present - set(extension.parts):
            raise SetupError(f"the extension {name} does not name its part {' or '.join(sorted(forgotten))}")
    return tuple(found[name] for name in sorted(chosen))


def modules_of(part: str, extensions: Iterable[Extension]) -> list[ModuleType]:
    """Return the module `part` of each extension that has it."""
    return [import_module(f"{each.package}.{part}") for each in extensions if part in each.parts]


def together(extensions: Collection[Extension]) -> Extension:
    """Return one extension with everything that `extensions` add to the trunk."""
    return Extension(
        __name__,
        links={relation: path for each in extensions for relation, path in each.links.items()},
        limits={place: limit for each in extensions for place, limit in each.limits.items()},
        without_pages=tuple(path for each in extensions for path in each.without_pages),
        uncached=tuple(path for each in extensions for path in each.uncached),
        english_only=tuple(path for each in extensions for path in each.english_only),
        same_origin_only=tuple(path for each in extensions for path in each.same_origin_only),
        files=tuple(path for each in extensions for path in each.files),
        menu={path: line for each in extensions for path, line in each.menu.items()},
        oversight={path: line for each in extensions for path, line in each.oversight.items()},
    )
