// Compares two concerns by their opened cards, and says in words what makes them look like one child or household.
// A match is an offer to a person who reads both concerns. Nothing is merged, scored, ranked or counted, nothing is
// stored, and nothing leaves the page, or the computer on which `guidance desk find` runs.
import { isWithoutVowels, shareScript, wordsOf } from "./words.js";

export const NOT_FOUND = "No match found by name, birth, school, address, number or vehicle";
const SHORTEST_MISSPELT = 4; // letters of the shortest word in which one letter may be wrong
const SHORTEST_WITHOUT_VOWELS = 6;
const A_YEAR = 366; // days
// Words that do not tell one school from another.
const WORDS_OF_SCHOOLS = new Set(
  wordsOf(
    "the of and at for school academy college nursery pre preschool primary secondary infant infants junior juniors",
    "high community free church england catholic roman rc ce cofe c e voluntary aided comprehensive grammar sixth form",
  ),
);
const YOUNGER = wordsOf("nursery preschool primary infant infants junior juniors");
const OLDER = wordsOf("secondary high college comprehensive grammar sixth");
const DAY_DIFFERS = "day of birth differs";
const AGE_DIFFERS = "age differs";
// How alike two words of a name are, the least alike first.
const OTHER = 0;
const ONE_LETTER = 1;
const SHORT_FORM = 2;
const SAME = 3;
const WHOLE_NAME = { [SAME]: "same name", [SHORT_FORM]: "same name in another form", [ONE_LETTER]: "name one letter different" };
const ONE_NAME = {
  [SAME]: "one name the same",
  [SHORT_FORM]: "one name the same in another form",
  [ONE_LETTER]: "one name one letter different",
};
const SAME_DAY = "same day of birth";
const SAME_HOUSE = "same house and street";
const SAME_STREET = "same street";
const OTHER_SCRIPTS = "names in different scripts";
const NOT_GIVEN = "a name not given";
const COMPARED = "names compared";
const NOBODY = { names: [], otherNames: [], birth: null, school: [], postcode: "", houses: [], numbers: [] };
const ADULT = {
  [SAME]: "adult with the same name",
  [SHORT_FORM]: "adult with the same name in another form",
  [ONE_LETTER]: "adult with a name one letter different",
};
const SAME_VEHICLE = "same registration of a vehicle";
const ADULT_IN_PART = "adult with one name the same";

export class Matching {
  #groups = new Map(); // by word, the numbers of the names of which the word is a form
  #likeness = new Map(); // by word, the likeness to each other word that it was compared with

  // `nicknames` has a list for each name: the forms of the name.
  constructor(nicknames) {
    nicknames.forEach((forms, number) => {
      for (const form of forms) this.#groups.set(form, [...(this.#groups.get(form) ?? []), number]);
    });
  }

  // Forget every word that was compared.
  forget() {
    this.#likeness.clear();
  }

  // Return the reasons in words why two concerns may be about the same child or household. Without any, return [].
  reasonsOf(one, other) {
    const number = sharedNumber(one, other);
    let most = [];
    for (const mine of orNobody(one.children)) {
      for (const theirs of orNobody(other.children)) {
        const reasons = this.#reasonsOfChildren(mine, theirs, { one, other, number });
        if (reasons.length > most.length) most = reasons;
      }
    }
    if (most.length > 0) return most;
    if (shareOne(one.plates, other.plates)) return [SAME_VEHICLE];
    return number && !isOnlyOfProfessionals(one, other) ? [number] : [];
  }

  // Return true if two words are the same, forms of one name, or one letter different.
  isAlike(one, other) {
    return this.#likenessOf(one, other) !== OTHER;
  }

  // Return true if two words are alike, as `isAlike` does, and remember neither of them.
  compareOnce(one, other) {
    return this.#compareWords(one, other) !== OTHER;
  }

  // Return true if two words are the same, or forms of one name.
  isForm(one, other) {
    return one === other || this.#areForms(one, other);
  }

  #areForms(one, other) {
    const groups = this.#groups.get(other) ?? [];
    return (this.#groups.get(one) ?? []).some((each) => groups.includes(each));
  }

  #likenessOf(one, other) {
    if (!this.#likeness.has(one)) this.#likeness.set(one, new Map());
    const known = this.#likeness.get(one);
    if (!known.has(other)) known.set(other, this.#compareWords(one, other));
    return known.get(other);
  }

  #compareWords(one, other) {
    if (one === other) return SAME;
    if (this.#areForms(one, other)) return SHORT_FORM;
    return isOneLetterOff(one, other) ? ONE_LETTER : OTHER;
  }

  #reasonsOfChildren(mine, theirs, { one, other, number }) {
    const name = this.#matchNames(mine.names, theirs.names, mine.otherNames, theirs.otherNames);
    if (name === null && !number && !mayBeNameless(mine, theirs)) return [];
    const shared = this.#sharedBy(mine, theirs, { one, other, number });
    const names = compareNames(mine, theirs);
    if (!isOffered(name, shared, names)) return [];
    return [...shared.telling, ...shared.common, name?.words, names === OTHER_SCRIPTS && names, shared.differs].filter(Boolean);
  }

  // Return how two names agree, or null if no word does. The last two lists are words of other names.
  #matchNames(one, other, oneMore = [], otherMore = []) {
    const pairs = this.#pairsOf([...one, ...oneMore], [...other, ...otherMore]);
    if (pairs.length === 0) return null;
    const least = Math.min((one.length ? one : oneMore).length, (other.length ? other : otherMore).length);
    const alike = Math.min(...pairs.map((pair) => pair.alike));
    const isWhole = pairs.length >= Math.max(least, 2);
    const isReordered = isWhole && alike === SAME && areReordered(pairs, one.length, other.length);
    const words = isReordered ? "same name in another order" : (isWhole ? WHOLE_NAME : ONE_NAME)[alike];
    return { alike, isWhole, isShort: least === 1, words };
  }

  // Return the pairs of alike words, the most alike first, each word in one pair: two places and the likeness.
  #pairsOf(mine, theirs) {
    const found = mine.flatMap((word, place) =>
      theirs.flatMap((each, placeOfOther) => {
        const alike = this.#likenessOf(word, each);
        return alike === OTHER ? [] : [{ alike, place, placeOfOther }];
      }),
    );
    found.sort((a, b) => b.alike - a.alike || a.place - b.place || a.placeOfOther - b.placeOfOther);
    const pairs = [];
    for (const each of found) {
      const isUsed = pairs.some((pair) => pair.place === each.place || pair.placeOfOther === each.placeOfOther);
      if (!isUsed) pairs.push(each);
    }
    return pairs;
  }

  // Return what two concerns share beside a name: telling facts, and common facts, which many children share.
  #sharedBy(mine, theirs, { one, other, number }) {
    const telling = [];
    const common = [];
    let differs = "";
    const isSameRecord = shareOne(mine.numbers, new Set(theirs.numbers));
    const street = sharedStreet(mine.houses, theirs.houses);
    if (isSameRecord) telling.push("same number in records");
    if (street === SAME_HOUSE) telling.push(SAME_HOUSE); // one place is one fact, whether or not the postcode is known too
    else if (mine.postcode && mine.postcode === theirs.postcode) telling.push("same postcode");
    else if (street) common.push(street);
    if (shareOne(one.plates, other.plates)) telling.push(SAME_VEHICLE);
    if (number) telling.push(number);
    const adult = this.#matchAdults(one, other);
    if (adult?.isWhole) telling.push(ADULT[adult.alike]);
    else if (adult !== null) common.push(ADULT_IN_PART);
    const school = sharedSchool(mine.school, theirs.school);
    if (school) common.push(school);
    if (mine.birth !== null && theirs.birth !== null) {
      const [words, kind] = compareBirths(mine.birth, theirs.birth);
      if (kind === "differs") differs = words;
      else (kind === "telling" ? telling : common).push(words);
    }
    return { telling, common, hasSchool: Boolean(school), isSameRecord, differs };
  }

  // Return how the names of two adults agree. A name of one word counts only if it is exactly the same.
  #matchAdults(one, other) {
    const found = one.adults.flatMap((mine) => other.adults.map((theirs) => this.#matchNames(mine, theirs))).filter(Boolean);
    return found.find((each) => each.isWhole) ?? found.find((each) => each.isShort && each.alike === SAME) ?? null;
  }
}

// Return true if a reason says what speaks against a match.
export const isDifference = (reason) => reason === DAY_DIFFERS || reason === AGE_DIFFERS;

// Return true if one letter is wrong, missing or too many, or if two neighbouring letters are exchanged.
export function isOneLetterOff(one, other) {
  const [shorter, longer] = one.length <= other.length ? [one, other] : [other, one];
  const shortest = isWithoutVowels(shorter) ? SHORTEST_WITHOUT_VOWELS : SHORTEST_MISSPELT;
  if (shorter.length < shortest || longer.length - shorter.length > 1) return false;
  let start = 0;
  while (start < shorter.length && shorter[start] === longer[start]) start += 1;
  const [rest, longerRest] = [shorter.slice(start), longer.slice(start)];
  if (rest.length < longerRest.length) return rest === longerRest.slice(1);
  const isExchanged = rest[0] === longerRest[1] && rest[1] === longerRest[0] && rest.slice(2) === longerRest.slice(2);
  return rest.slice(1) === longerRest.slice(1) || isExchanged;
}

const orNobody = (children) => (children.length > 0 ? children : [NOBODY]);

// Return true if the name and what else is shared are enough to offer the other concern.
// A whole name is enough, unless the ages differ and nothing else is shared. One name needs a telling fact, or two
// common ones, or the school, if one card has only that name. Without any name, two telling facts are needed. If the
// names cannot be compared, the day of birth needs only the school or the street beside it.
function isOffered(name, { telling, common, hasSchool, isSameRecord, differs }, names) {
  if (isSameRecord) return true;
  if (name === null && names === COMPARED) return telling.length > 1;
  if (name === null) return telling.length > 1 || (telling.includes(SAME_DAY) && (hasSchool || common.includes(SAME_STREET)));
  if (telling.length > 0) return true;
  if (name.isWhole) return common.length > 0 || !differs;
  return name.isShort && !differs && (hasSchool || common.length > 1);
}

// Return whether the names of two children can be compared: both are given, and in one script.
function compareNames(mine, theirs) {
  const [one, other] = [mine, theirs].map(({ names, otherNames }) => [...names, ...otherNames]);
  if (one.length === 0 || other.length === 0) return NOT_GIVEN;
  return shareScript(one, other) ? COMPARED : OTHER_SCRIPTS;
}

// Return true if two children share a telling fact of their own: whoever names neither may mean one child.
function mayBeNameless(mine, theirs) {
  const isSameBirth = Boolean(mine.birth?.day) && mine.birth.day === theirs.birth?.day;
  const isSamePlace = Boolean(mine.postcode && mine.postcode === theirs.postcode) || sharedStreet(mine.houses, theirs.houses) === SAME_HOUSE;
  return isSameBirth || isSamePlace || shareOne(mine.numbers, new Set(theirs.numbers));
}

// Return how two addresses agree: a house with its street, or only the street. Otherwise return nothing.
function sharedStreet(mine, theirs) {
  const pairs = mine.flatMap((one) => theirs.filter((other) => isSameStreet(one.street, other.street)).map((other) => [one, other]));
  if (pairs.some(([one, other]) => one.isHouse && other.isHouse && one.number === other.number)) return SAME_HOUSE;
  return pairs.length > 0 ? SAME_STREET : "";
}

// The kind of the street may be missing in one address. A street has two words otherwise: 'The' alone is none.
function isSameStreet([one, kind], [other, otherKind]) {
  return one !== undefined && one === other && (kind === otherKind || kind === undefined || otherKind === undefined);
}

// Return true if the paired words stand in another order. Other names, beyond the lengths, have no order.
function areReordered(pairs, length, lengthOfOther) {
  const named = pairs.filter((pair) => pair.place < length && pair.placeOfOther < lengthOfOther);
  const places = named.sort((a, b) => a.place - b.place).map((pair) => pair.placeOfOther);
  return places.some((place, number) => number > 0 && place < places[number - 1]);
}

// Return how two births agree or differ in words, and which: telling, common or differs.
function compareBirths(one, other) {
  if (one.day !== null && other.day !== null) {
    if (one.day === other.day) return [SAME_DAY, "telling"];
    const [mine, theirs] = [one.day.split("-"), other.day.split("-")];
    const isExchanged = mine[0] === theirs[0] && mine[1] === theirs[2] && mine[2] === theirs[1];
    if (isExchanged) return ["day and month of birth exchanged", "telling"];
    const equal = mine.filter((part, place) => part === theirs[place]).length;
    const isNear = equal > 1 && Math.abs(one.first - other.first) <= A_YEAR;
    return isNear ? ["day of birth nearly the same", "common"] : [DAY_DIFFERS, "differs"];
  }
  const gap = Math.max(one.first, other.first) - Math.min(one.last, other.last);
  return gap <= A_YEAR ? ["about the same age", "common"] : [AGE_DIFFERS, "differs"];
}

// Return how two schools agree: all telling words of the shorter name are in the other name. Otherwise return nothing.
function sharedSchool(one, other) {
  const [mine, theirs] = [tellingWords(one), tellingWords(other)];
  if (mine.length === 0 || theirs.length === 0 || isOfOtherAge(one, other)) return "";
  const [shorter, longer] = mine.length <= theirs.length ? [mine, theirs] : [theirs, mine];
  if (shorter.every((word) => longer.includes(word))) return "same school";
  const isNear = shorter.every((word) => longer.some((each) => word === each || isOneLetterOff(word, each)));
  return isNear ? "school one letter different" : "";
}

// Return the words that tell a school from others.
export function tellingWords(school) {
  const telling = school.filter((word) => !WORDS_OF_SCHOOLS.has(word));
  return telling.length > 0 ? telling : school;
}

// Return true if one school is for younger children and the other for older ones, by their names.
export function isOfOtherAge(one, other) {
  const has = (school, words) => words.some((word) => school.includes(word));
  return (has(one, YOUNGER) && has(other, OLDER)) || (has(one, OLDER) && has(other, YOUNGER));
}

const shareOne = (one, other) => [...one].some((each) => other.has(each));

function isOfFamily(one, other) {
  return shareOne(one.numbers, other.numbers) || shareOne(one.numbers, other.reporterNumbers) || shareOne(one.reporterNumbers, other.numbers);
}

function sharedNumber(one, other) {
  if (isOfFamily(one, other)) return "same telephone number";
  return shareOne(one.reporterNumbers, other.reporterNumbers) ? "same number of the reporter" : "";
}

// Return true if the shared number is only that of reporters who work with children: of an office, for example.
function isOnlyOfProfessionals(one, other) {
  return !isOfFamily(one, other) && (one.byProfessional || other.byProfessional);
}
