// Words of names and texts, of any script, in the form in which they are compared.
// Letters that Unicode does not take apart into a plain letter and a mark, and letters of one sound that keyboards of
// two languages write with two codes: Arabic and Urdu, for example.
const LETTERS = {
  ł: "l", ø: "o", đ: "d", ð: "d", þ: "th", æ: "ae", œ: "oe", ß: "ss", ı: "i", ħ: "h", ς: "σ", ґ: "г",
  ٱ: "ا", ى: "ي", ی: "ي", ک: "ك", ہ: "ه", ھ: "ه", ە: "ه", ة: "ه", ۃ: "ه",
};
const TO_FOLD = new RegExp(`[${Object.keys(LETTERS).join("")}]`, "g");
const ASCII = /^[\x00-\x7f]*$/;
// Apostrophes, accents that stand alone, and the line that lengthens an Arabic word.
const APOSTROPHES = /['‘’‛`´′ʹʺʻʼʽʾʿˈ׳״＇ـ]/g;
const UNSEEN = /\p{Default_Ignorable_Code_Point}/gu; // marks of direction and of joining, for example
// In other scripts a mark is a vowel, without which a name is another name.
const MARKS_LEFT_OUT = /([\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Hebrew}])\p{M}+/gu;
const WITHOUT_BLANKS = /[\p{Script=Han}\p{Script=Hangul}]/gu; // each sign is a word: names are written with a blank or without
const WORD = /[\p{L}\p{N}][\p{L}\p{M}\p{N}]*/gu;
const OTHER_DIGIT = /(?![0-9])\p{Nd}/gu;
const SCRIPTS = [
  "Latin", "Arabic", "Cyrillic", "Greek", "Hebrew", "Han", "Hangul", "Hiragana", "Katakana", "Devanagari", "Bengali", "Gurmukhi",
  "Gujarati", "Tamil", "Telugu", "Kannada", "Malayalam", "Sinhala", "Thai", "Lao", "Khmer", "Myanmar", "Tibetan", "Ethiopic",
  "Georgian", "Armenian", "Thaana", "Adlam", "Nko", "Tifinagh", "Syriac",
].map((name) => new RegExp(`\\p{Script=${name}}`, "u"));

// Return the words of the texts, each once.
export const wordsOf = (...texts) => [...new Set(wordsInOrder(texts.join(" ")))];

// Return the words of the text as they follow each other, in small letters, without accents and apostrophes.
export function wordsInOrder(text) {
  return (ASCII.test(text) ? text.replace(APOSTROPHES, "").toLowerCase() : folded(text)).match(WORD) ?? [];
}

function folded(text) {
  const apart = withPlainDigits(text.replace(UNSEEN, "").replace(APOSTROPHES, "").normalize("NFKD"));
  const plain = apart.replace(MARKS_LEFT_OUT, "$1").toLowerCase().replace(TO_FOLD, (letter) => LETTERS[letter]);
  return plain.normalize("NFC").replace(WITHOUT_BLANKS, " $& ");
}

// Return the text with 0 to 9 for the digits of other scripts.
export function withPlainDigits(text) {
  return text.replace(OTHER_DIGIT, (digit) => {
    const code = digit.codePointAt(0);
    let value = 0;
    while (value < 9 && /\p{Nd}/u.test(String.fromCodePoint(code - value - 1))) value += 1;
    return String(value);
  });
}

// Return true if a word of one list and a word of the other have letters of one script.
export function shareScript(one, other) {
  const scriptsOf = (words) => SCRIPTS.filter((script) => words.some((word) => script.test(word)));
  const theirs = scriptsOf(other);
  return scriptsOf(one).some((script) => theirs.includes(script));
}

// Return true if the words are letters of a script that writes no short vowels: names that are one letter apart are then
// two names, as Ahmad and Mohammed are.
export const isWithoutVowels = (word) => /^[\p{Script=Arabic}\p{Script=Hebrew}]/u.test(word);
