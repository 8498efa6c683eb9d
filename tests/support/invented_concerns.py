"""A thousand invented concerns, as their cards: 40 children are told of two to five times, the others once.

Whoever reports knows part of a child and writes it as people do: a short form, a misspelt name, an age for a day of
birth, no family name. The short forms are not taken from the list that the comparison uses. Every family name, school
and postcode is invented, and the numbers are those that Ofcom keeps for drama.
"""

import datetime as dt
import json
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

CONCERNS = 1000
TOLD_AGAIN = 40
FIRST_DAY = dt.date(2025, 11, 24)
DAYS = 365
FORMS_OF_GIVEN = """
Alexander Alex Xander Lex, Aleksandra Ola Olcia, Amelia Millie Amy, Amina, Angharad Hari, Anna Annie Ania,
Archie, Arjun, Ava, Benjamin Ben Benji, Bethan Beth, Callum Cal, Carys, Catherine Cath Katie Kat,
Charlotte Charlie Lottie, Chloe Clo, Connor Con, Daniel Dan Danny, Dominik Dom, Dylan Dyl, Edward Ted Eddie,
Eleanor Ellie Nell, Elizabeth Lizzie Beth Libby, Emily Em Emmy, Erin, Ethan, Fatima Fati, Finley Fin, Freya,
George Georgie, Grace Gracie, Gwenllian Gwen, Hamza, Hannah Han, Harrison Harry, Hasan, Holly Hols, Ibrahim Ibs,
Imogen Immy, Isabella Bella Izzy, Isla, Jack Jacko, Jakub Kuba, Jasmine Jas Jazz, Jayden Jay,
Jessica Jess Jessie, Joseph Joe Joey, Joshua Josh, Julia Julka, Kacper Kacperek, Katarzyna Kasia, Khadija Dija,
Kieran Kier, Leo, Lewis Lew, Lily Lil, Logan, Lucas Luke, Maja, Maryam Mari, Mateusz Mati, Matthew Matt Matty,
Megan Meg, Michael Mike Mikey, Mohammed Mo Mohd, Molly Mol, Nathaniel Nate Nat, Niamh, Nicholas Nick Nico, Noah,
Oliver Ollie Oli, Olivia Liv Livvy, Oscar Ozzy, Owain, Phoebe Phoebs, Poppy Pops, Rebecca Becky Bex,
Rhiannon Rhi, Rhys, Riley, Robert Rob Bobby, Ruby Rubes, Samuel Sam Sammy, Sebastian Seb, Seren, Sofia Sofi,
Szymon Szymek, Thomas Tom Tommy, Theodore Theo Teddy, Tyler Ty, William Will Billy Liam, Yasmin Yaz, Yusuf,
Zachary Zac, Zainab Zee, Zara, Zofia Zosia, Zuzanna Zuzia
"""
"""Given names, each with the short forms that reporters use: by the ear, and not from any list."""
GIVEN = {name: forms for name, *forms in (each.split() for each in FORMS_OF_GIVEN.split(","))}
STARTS_OF_FAMILY = """
Exam Sampl Test Mock Dumm Inven Fict Pretend Demo Place Plac Trial Proto Draf Nomin Imagin Fabl Storri Figm
Patt
"""
ENDS_OF_FAMILY = """
ford wick erby leton owski ewicz ah ani esh worth erson ley combe ridge marsh stone pugh vans eira oglu
"""
NAMES_OF_TOWNS = """
Exampleton Sampleham Testwick Mockbury Dummerford Inventon Fictley Pretendham Demobridge Placeworth Trialstow
Protocombe Draftmere Nominster Imaginthorpe Fableden Storrimouth Figmoor Patternby Specimenshaw
"""
STARTS, ENDS, TOWNS = STARTS_OF_FAMILY.split(), ENDS_OF_FAMILY.split(), NAMES_OF_TOWNS.split()
SCHOOLS = [f"{town} {kind}" for town in TOWNS for kind in ("Primary School", "High School")] + [
    f"St {saint}'s {kind}" for saint in ("Sample", "Test", "Example") for kind in ("Primary School", "Academy")
]
AREA_CODES = (
    "0113 496",
    "0114 496",
    "0115 496",
    "0116 496",
    "0117 496",
    "0118 496",
    "0121 496",
    "0151 496",
    "0161 496",
)

CYRILLIC = str.maketrans("abcdefghijklmnopqrstuvwxyz", "абкдефгхийклмнопкрстуввхыз")


@dataclass(frozen=True)
class Household:
    """One child, the child's home and a parent, as they are: reporters know parts of it."""

    number: int
    given: str
    family: str
    born: dt.date
    school: str
    postcode: str
    parent: str
    phone: str


@dataclass(frozen=True)
class InventedConcern:
    """The card of one concern, the day on which it came, and the number of the household that it is about."""

    household: int
    received_on: dt.date
    card: dict[str, Any]


@dataclass
class Inventor:
    """A generator of households and reports from one seed."""

    chance: random.Random
    phones: list[str] = field(default_factory=list)
    offices: dict[str, tuple[str, str]] = field(default_factory=dict)

    def household(self, number: int) -> Household:
        chance = self.chance
        born = FIRST_DAY - dt.timedelta(days=chance.randrange(365, 17 * 365))
        is_young = FIRST_DAY - born < dt.timedelta(days=11 * 365)
        schools = [name for name in SCHOOLS if ("Primary" in name) == is_young]
        family = self.family()
        parent_family = family if chance.random() < 0.75 else self.family()
        return Household(
            number,
            chance.choice(list(GIVEN)),
            family,
            born,
            chance.choice(schools),
            f"XX{chance.randrange(1, 31)} {chance.randrange(1, 10)}{chance.choice('ABDEF')}{chance.choice('ABDEF')}",
            f"{chance.choice(list(GIVEN))} {parent_family}",
            self.phone(),
        )

    def family(self) -> str:
        return self.chance.choice(STARTS) + self.chance.choice(ENDS)

    def phone(self) -> str:
        """Return a number that nobody else has."""
        if not self.phones:
            ranges = [(code, 4) for code in AREA_CODES] + [("01632 960", 3), ("07700 900", 3)]
            self.phones = [
                f"{code}{'' if size == 3 else ' 0'}{number:03d}" for code, size in ranges for number in range(1000)
            ]
            self.chance.shuffle(self.phones)
        return self.phones.pop()

    def report(self, about: Household) -> InventedConcern:
        """Return a concern about the household, from somebody who knows part of it."""
        chance, day = self.chance, FIRST_DAY + dt.timedelta(days=self.chance.randrange(DAYS))
        teller = chance.choices(
            [self._teacher, self._health, self._neighbour, self._family, self._friend, self._child, self._anonymous],
            [30, 14, 16, 12, 8, 8, 12],
        )[0]
        return InventedConcern(about.number, day, teller(about, day))

    def _teacher(self, about: Household, day: dt.date) -> dict[str, Any]:
        if about.school not in self.offices:
            self.offices[about.school] = (f"{self.chance.choice(list(GIVEN))} {self.family()}", self.phone())
        name, phone = self.offices[about.school]
        child = {
            "names": [self._whole_name(about, 0.1)],
            **self._birth(about, day, born=0.55, age=0.3),
            **self._maybe(0.9, school=self._school(about)),
            **self._maybe(0.3, postcode=about.postcode),
        }
        people = [{"relation": "parent", "names": [self._misspelt(about.parent)], "phones": self._phones(about, 0.3)}]
        reporter = {"kind": "professional", "name": name, "phones": [phone]}
        return {"children": [child], "people": people if self._is(0.35) else [], "reporter": reporter}

    def _health(self, about: Household, day: dt.date) -> dict[str, Any]:
        child = {
            "names": [self._whole_name(about, 0.05)],
            **self._birth(about, day, born=0.8, age=0.15),
            **self._maybe(0.15, school=self._school(about)),
            **self._maybe(0.6, postcode=about.postcode),
        }
        people = [{"relation": "parent", "names": [self._misspelt(about.parent)], "phones": self._phones(about, 0.4)}]
        return {
            "children": [child],
            "people": people if self._is(0.4) else [],
            "reporter": {"kind": "professional", "phones": [self.phone()]},
        }

    def _neighbour(self, about: Household, day: dt.date) -> dict[str, Any]:
        name = self._given(about, 0.4) if self._is(0.65) else self._whole_name(about, 0.4)
        child = {
            "names": [name] if self._is(0.7) else [],
            **self._birth(about, day, born=0, age=0.6, guess=2),
            **self._maybe(0.35, postcode=about.postcode),
            **self._maybe(0.2, school=self._school(about)),
        }
        parent = self._misspelt(about.parent if self._is(0.3) else about.parent.split()[0])
        people = [{"relation": "parent", "names": [parent], "phones": []}]
        reporter = {"kind": "member_of_public", "phones": [self.phone()] if self._is(0.5) else []}
        return {"children": [child], "people": people if self._is(0.4) else [], "reporter": reporter}

    def _family(self, about: Household, day: dt.date) -> dict[str, Any]:
        name = self._given(about, 0.5) if self._is(0.4) else self._whole_name(about, 0.5)
        child = {"names": [name], **self._birth(about, day, born=0.4, age=0.4)}
        child |= self._maybe(0.4, postcode=about.postcode) | self._maybe(0.4, school=self._school(about))
        is_parent = self._is(0.4)
        own = {"name": about.parent, "phones": [about.phone]} if is_parent else {"phones": [self.phone()]}
        people = [{"relation": "parent", "names": [self._misspelt(about.parent)], "phones": self._phones(about, 0.4)}]
        reporter = {"kind": "family", **(own if self._is(0.7) else {})}
        return {"children": [child], "people": people if not is_parent and self._is(0.5) else [], "reporter": reporter}

    def _friend(self, about: Household, day: dt.date) -> dict[str, Any]:
        name = self._given(about, 0.6) if self._is(0.75) else self._whole_name(about, 0.6)
        child = {"names": [name], **self._birth(about, day, born=0, age=0.4)}
        child |= self._maybe(0.5, school=self._school(about))
        return {"children": [child], "people": [], "reporter": {"kind": "friend"}}

    def _child(self, about: Household, day: dt.date) -> dict[str, Any]:
        name = self._given(about, 0.6) if self._is(0.6) else self._whole_name(about, 0.5)
        child = {"names": [name] if self._is(0.8) else [], **self._birth(about, day, born=0.15, age=0.5)}
        child |= self._maybe(0.35, school=self._school(about))
        reporter = {"kind": "child", "phones": [self.phone()] if self._is(0.2) else []}
        return {"children": [child], "people": [], "reporter": reporter}

    def _anonymous(self, about: Household, day: dt.date) -> dict[str, Any]:
        name = self._given(about, 0.3) if self._is(0.6) else self._whole_name(about, 0.3)
        child = {"names": [name] if self._is(0.6) else [], **self._birth(about, day, born=0, age=0.4, guess=2)}
        child |= self._maybe(0.25, postcode=about.postcode) | self._maybe(0.25, school=self._school(about))
        return {"children": [child], "people": [], "reporter": {"kind": "anonymous"}}

    def _is(self, share: float) -> bool:
        return self.chance.random() < share

    def _maybe(self, share: float, **field_of_card: str) -> dict[str, str]:
        return field_of_card if self._is(share) else {}

    def _given(self, about: Household, short: float) -> str:
        forms = GIVEN[about.given]
        return self._misspelt(self.chance.choice(forms) if forms and self._is(short) else about.given)

    def _whole_name(self, about: Household, short: float) -> str:
        names = [self._given(about, short), self._misspelt(about.family)]
        return " ".join(reversed(names) if self._is(0.03) else names)

    def _misspelt(self, name: str) -> str:
        """Return the name, one time in eight with a slip of the keys, and one in twelve as it sounds to a stranger."""
        if self._is(0.125) and len(name) > 3:
            place, slip = self.chance.randrange(1, len(name) - 1), self.chance.randrange(4)
            letter = self.chance.choice("abcdefghijklmnopqrstuvwxyz")
            return [
                name[:place] + letter + name[place + 1 :],
                name[:place] + name[place + 1 :],
                name[:place] + letter + name[place:],
                name[:place] + name[place + 1] + name[place] + name[place + 2 :],
            ][slip]
        if self._is(1 / 12):
            for written, heard in (
                ("ph", "f"),
                ("cz", "tch"),
                ("sz", "sh"),
                ("w", "v"),
                ("ie", "y"),
                ("c", "k"),
                ("y", "ie"),
            ):
                if written in name:
                    return name.replace(written, heard, 1)
        return name

    def _birth(
        self, about: Household, day: dt.date, *, born: float, age: float, guess: int = 1
    ) -> dict[str, str | int]:
        """Return the day of birth, sometimes wrongly typed, or an age up to `guess` years off, or nothing."""
        drawn = self.chance.random()
        if drawn < born:
            return {"born": self._typed_day(about.born).isoformat()}
        years = (day - about.born).days // 365
        if drawn >= born + age:
            return {}
        if self._is(0.3):
            years += self.chance.randint(-guess, guess)
        return {"age": max(0, min(17, years))}

    def _typed_day(self, born: dt.date) -> dt.date:
        if self._is(0.06) and born.day <= 12:
            return born.replace(day=born.month, month=born.day)
        return born.replace(day=self.chance.randint(1, 28)) if self._is(0.04) else born

    def _school(self, about: Household) -> str:
        """Return the school as people write it: short, or with another ending."""
        town = about.school.removesuffix(" School")
        written = [about.school, town, f"{town} Sch", about.school.rsplit(" ", 2)[0]]
        return self._misspelt(self.chance.choices(written, [5, 3, 1, 1])[0])

    def _phones(self, about: Household, share: float) -> list[str]:
        if not self._is(share):
            return []
        plain = about.phone.replace(" ", "")
        return [self.chance.choice([about.phone, plain, "+44" + plain[1:], f"+44 (0){about.phone[1:]}"])]


def invent_concerns(seed: int) -> Iterator[InventedConcern]:
    """Yield the thousand concerns of that seed, in order of their days."""
    chance = random.Random(seed)  # noqa: S311  # invented data, the same in every run
    inventor = Inventor(chance)
    times = [chance.randint(2, 5) for _ in range(TOLD_AGAIN)]
    times += [1] * (CONCERNS - sum(times))
    reports = [
        inventor.report(household)
        for number, told in enumerate(times)
        for household in [inventor.household(number)]
        for _ in range(told)
    ]
    yield from sorted(reports, key=lambda each: each.received_on)


def in_other_scripts(concerns: Iterable[InventedConcern]) -> Iterator[InventedConcern]:
    """Yield the concerns. In every third one the names, not the school, are written in letters of another script."""
    for number, each in enumerate(concerns):
        card = json.loads(json.dumps(each.card))
        for person in (*card["children"], *card["people"]) if number % 3 == 0 else ():
            person["names"] = [name.lower().translate(CYRILLIC) for name in person["names"]]
        yield replace(each, card=card)


def submission_of(concern: InventedConcern) -> dict[str, Any]:
    """Return the concern as a reporter sends it."""
    reporter = concern.card["reporter"]
    told = {
        "kind": reporter["kind"],
        "name": reporter.get("name"),
        "phone": next(iter(reporter.get("phones") or ()), None),
    }
    parents = [
        {"name": next(iter(each["names"])), "phone": next(iter(each["phones"]), None)}
        for each in concern.card.get("people") or ()
    ]
    return {
        "immediate_danger": "no",
        "reporter": _known(told),
        "children": [_child_of(each) for each in concern.card["children"]],
        "parents_and_carers": [_known(each) for each in parents],
        "concern": {"narrative": "I am worried about this invented child."},
    }


def _child_of(child: dict[str, Any]) -> dict[str, Any]:
    given, _, family = " ".join(child["names"]).partition(" ")
    told = {
        "given_names": given or None,
        "family_name": family or None,
        "date_of_birth": child.get("born"),
        "estimated_age": child.get("age"),
        "school_or_setting": child.get("school"),
        "home_address": {"postcode": child["postcode"]} if "postcode" in child else None,
    }
    return _known(told)


def _known(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}
