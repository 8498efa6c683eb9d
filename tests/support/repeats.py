"""The repeats of a regular expression: which can take the same run of characters, and texts for which that is slow.

Python's own parser reads the pattern. `re` has no public name for it, so only this check uses it: nothing that serves
depends on it. The linters that were tried see exponential patterns alone, or take `fullmatch` for a search.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice, product
from re import _constants as op
from re import _parser as parser
from typing import Any

SEARCHES = frozenset({"search", "sub", "subn", "split", "findall", "finditer"})
ALPHABET = frozenset(map(chr, [*range(0x100), 0x131, 0x2013, 0x201C, 0x2028, 0x430, 0x4E2D, 0xF0B7, 0x1F642]))
"""The characters by which sets are compared: Latin-1, and some of each kind beyond it."""
MAX_PATHS = 3_000
REPEATS = (op.MAX_REPEAT, op.MIN_REPEAT, op.POSSESSIVE_REPEAT)
PUMPED = ("0", "a", " ", "\t", "\n", "-", ".", ",", ":", "/", "@", "<", "(", "*", "_", "é")
ENDS = ("", "\0")


@dataclass(frozen=True)
class Chars:
    """One character of a set."""

    members: frozenset[str]


@dataclass(frozen=True)
class Edge:
    """A place that takes no character and can fail. `barred` are those that may not stand before it."""

    barred: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Repeat:
    """Something that is repeated, as its possible sequences. `least` is how often it must be there.

    One that is possessive takes all that it can, and gives nothing back.
    """

    least: int
    is_endless: bool
    gives_back: bool
    paths: tuple["Path_", ...]

    @cached_property
    def members(self) -> frozenset[str]:
        """Every character that it can take."""
        return frozenset().union(*(taken(each) for path in self.paths for each in path))

    @cached_property
    def overlaps_within(self) -> bool:
        """True if a run can be divided in many ways within one round, or between two rounds of an endless repeat."""
        rounds = (each * 2 if self.is_endless else each for each in self.paths)
        return any(_overlap((*each, Edge())) for each in rounds)


Item = Chars | Edge | Repeat
Path_ = tuple[Item, ...]


def taken(item: Item) -> frozenset[str]:
    """Return every character that the item can take."""
    return frozenset() if isinstance(item, Edge) else item.members


def is_needed(item: Item) -> bool:
    """Return True if the item takes at least one character."""
    if isinstance(item, Repeat):
        return item.least > 0 and all(any(map(is_needed, path)) for path in item.paths)
    return isinstance(item, Chars)


def paths_of(pattern: re.Pattern[Any]) -> list[Path_]:
    """Return each way through the alternatives of the pattern."""
    return _paths(parser.parse(pattern.pattern, pattern.flags), bool(pattern.flags & re.IGNORECASE))


def _paths(parsed: Any, any_case: bool) -> list[Path_]:
    ways = [_ways(code, value, any_case) for code, value in parsed]
    return [tuple(item for part in way for item in part) for way in islice(product(*ways), MAX_PATHS)]


def _ways(code: Any, value: Any, any_case: bool) -> list[Path_]:
    """Return the sequences of items that one part of a parsed pattern can be."""
    if code in (op.LITERAL, op.NOT_LITERAL, op.ANY, op.IN, op.GROUPREF):
        return [(Chars(_members(code, value, any_case)),)]
    if code in REPEATS:
        return _repeated(code, value, any_case)
    if code in (op.ASSERT, op.ASSERT_NOT):
        return _asserted(code, value, any_case)
    if code is op.SUBPATTERN:
        _, added, _, body = value
        return _paths(body, any_case or bool(added & re.IGNORECASE))
    if code in (op.ATOMIC_GROUP, op.BRANCH):
        return [path for each in (value[1] if code is op.BRANCH else [value]) for path in _paths(each, any_case)]
    return [(Edge(),)]


def _repeated(code: Any, value: Any, any_case: bool) -> list[Path_]:
    least, most, body = value
    paths = _paths(body, any_case)
    if most == 1:
        return [*paths, *([()] if least == 0 else [])]
    return [(Repeat(least, most is parser.MAXREPEAT, code is not op.POSSESSIVE_REPEAT, tuple(paths)),)]


def _asserted(code: Any, value: Any, any_case: bool) -> list[Path_]:
    direction, body = value
    paths = _paths(body, any_case)
    if direction > 0:
        return [(*path, Edge()) for path in paths]
    barred = frozenset().union(*(taken(each) for path in paths for each in path))
    return [(Edge(barred if code is op.ASSERT_NOT else frozenset()),)]


def _members(code: Any, value: Any, any_case: bool) -> frozenset[str]:
    if code is op.IN:
        negated = bool(value) and value[0][0] is op.NEGATE
        found = frozenset().union(*(_members_of_set(*each) for each in value if each[0] is not op.NEGATE))
        found = _both_cases(found) if any_case else found
        return ALPHABET - found if negated else found
    if code is op.LITERAL:
        return _both_cases({chr(value)}) if any_case else frozenset({chr(value)})
    return ALPHABET - {chr(value)} if code is op.NOT_LITERAL else ALPHABET


def _members_of_set(code: Any, value: Any) -> frozenset[str]:
    if code is op.RANGE:
        return frozenset(each for each in ALPHABET if value[0] <= ord(each) <= value[1])
    if code is op.CATEGORY:
        kind = str(value).rpartition("_")[2].lower()
        form = {"digit": "d", "space": "s", "word": "w"}[kind]
        return frozenset(re.findall(rf"\{form.upper() if 'NOT' in str(value) else form}", "".join(ALPHABET)))
    return frozenset({chr(value)})


def _both_cases(members: Iterable[str]) -> frozenset[str]:
    return frozenset(case for each in members for case in (each, each.lower(), each.upper()) if len(case) == 1)


def faults_of(pattern: re.Pattern[Any], methods: frozenset[str]) -> Iterator[str]:
    """Yield what lets the time of those methods grow with the square of a text."""
    paths = paths_of(pattern)
    ends = (Edge(),) if "fullmatch" in methods else ()
    if any(_overlap((*path, *ends)) for path in paths):
        yield "two repeats, one after the other or one in the other, take the same characters"
    if methods & SEARCHES and any(_begins_again(path) for path in paths):
        yield "it begins with a repeat, and a search tries it at each character of a run: put a lookbehind before it"


def _overlap(path: Path_) -> bool:
    """Return True if a run can be divided between two endless repeats in many ways, and then fail."""
    return any(
        item.overlaps_within or (item.is_endless and item.gives_back and _shares_run(item, path[place + 1 :]))
        for place, item in enumerate(path)
        if isinstance(item, Repeat)
    )


def _shares_run(first: Repeat, rest: Path_) -> bool:
    """Return True if a later endless repeat takes what the first does, with nothing between that ends the run."""
    between: list[frozenset[str]] = []
    for place, item in enumerate(rest):
        if isinstance(item, Repeat) and item.is_endless and _can_fail(rest[place + 1 :]):
            shared = first.members & item.members
            if shared and all(each & item.members for each in between) and _fits(item, first.members):
                return True
        if is_needed(item):
            between.append(taken(item))
            if not taken(item) & first.members:
                return False
    return False


def _fits(item: Repeat, members: frozenset[str]) -> bool:
    """Return True if the repeat can go round once with only those characters."""
    return any(all(taken(each) & members for each in path if is_needed(each)) for path in item.paths)


def _can_fail(rest: Path_) -> bool:
    return any(isinstance(each, Edge) or is_needed(each) for each in rest)


def _begins_again(path: Path_) -> bool:
    """Return True if each character of a run can begin a match that fails at the end of the run."""
    before: list[frozenset[str]] = []
    barred: frozenset[str] = frozenset()
    for place, item in enumerate(path):
        rest = path[place + 1 :]
        if isinstance(item, Edge):
            barred |= item.barred
            if not item.barred:
                return False
        elif isinstance(item, Repeat) and item.is_endless:
            run = item.members - barred if not before else item.members
            fitting = all(each & run for each in before)
            return bool(run) and fitting and _can_fail(rest) and not _is_found_again(before, rest)
        elif is_needed(item):
            before.append(taken(item) - barred if not before else taken(item))
    return False


def _is_found_again(before: Sequence[frozenset[str]], rest: Path_) -> bool:
    """Return True if what begins the match also ends it: it never fails after that."""
    needed = [each for each in rest if is_needed(each) or isinstance(each, Edge)]
    if len(needed) == 1 and isinstance(needed[0], Chars):
        return any(each <= needed[0].members for each in before)
    return len(needed) == len(before) and all(
        isinstance(each, Chars) and begun <= each.members for begun, each in zip(before, needed, strict=True)
    )


def attacks_on(pattern: re.Pattern[Any]) -> set[tuple[str, str, str]]:
    """Return for each endless repeat what leads to it, what can be repeated there, and what ends a run."""
    found: set[tuple[str, str, str]] = {("", each, ENDS[-1]) for each in PUMPED}
    for path in paths_of(pattern)[:20]:
        found |= set(_attacks(path, ""))
    return found


def _attacks(path: Path_, before: str) -> Iterator[tuple[str, str, str]]:
    for place, item in enumerate(path):
        leading = before + _sample(path[:place])
        if not isinstance(item, Repeat):
            continue
        for each in item.paths[:5]:
            yield from _attacks(each, leading)
        if item.is_endless:
            single = [each for each in PUMPED if each in item.members] or sorted(item.members)[:1]
            following = _sample(path[place + 1 : place + 5])
            bodies = [_sample(each) for each in item.paths[:5]]
            for pump in {*single, *bodies, following, leading + following, leading} - {""}:
                yield from ((leading, pump, end) for end in ENDS)


def _sample(path: Path_) -> str:
    """Return a text that the items take, as short as can be."""
    return "".join(
        _sample(each.paths[0]) * each.least if isinstance(each, Repeat) else min(each.members, default="", key=_rank)
        for each in path
        if not isinstance(each, Edge)
    )


def _rank(character: str) -> tuple[bool, str]:
    return not character.isalnum(), character
