// Reads a TrueType font, as far as a PDF needs it: the glyph and the width of each character.
// Only a font with a character map of format 4 can be read. Characters beyond U+FFFF have no glyph there.
const TABLES_OF_PDF = ["cvt ", "fpgm", "glyf", "head", "hhea", "hmtx", "loca", "maxp", "prep"];
const ENTRY = 16; // bytes of a table's entry in the directory
const HEADER = 12; // bytes before the directory
const UNICODE_BMP = "3 1"; // platform and encoding
const FORMAT = 4;

export class PdfFont {
  #bytes;
  #view;
  #tables = new Map(); // by name, the place and length of the table

  constructor(bytes) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (let number = 0; number < this.#view.getUint16(4); number += 1) {
      const entry = HEADER + number * ENTRY;
      const name = String.fromCharCode(...bytes.subarray(entry, entry + 4));
      this.#tables.set(name, { entry, start: this.#view.getUint32(entry + 8), length: this.#view.getUint32(entry + 12) });
    }
    this.unitsPerEm = this.#at("head", 18);
    this.ascent = this.#toThousandths(this.#signedAt("hhea", 4));
    this.descent = this.#toThousandths(this.#signedAt("hhea", 6));
    this.box = [36, 38, 40, 42].map((place) => this.#toThousandths(this.#signedAt("head", place)));
    this.metrics = this.#at("hhea", 34);
    this.map = this.#findMap();
  }

  #at = (table, place) => this.#view.getUint16(this.#tables.get(table).start + place);
  #signedAt = (table, place) => this.#view.getInt16(this.#tables.get(table).start + place);
  #toThousandths = (units) => Math.round((units * 1000) / this.unitsPerEm);

  #findMap() {
    const { start } = this.#tables.get("cmap");
    for (let number = 0; number < this.#view.getUint16(start + 2); number += 1) {
      const entry = start + 4 + number * 8;
      const map = start + this.#view.getUint32(entry + 4);
      const encoding = `${this.#view.getUint16(entry)} ${this.#view.getUint16(entry + 2)}`;
      if (encoding === UNICODE_BMP && this.#view.getUint16(map) === FORMAT) return map;
    }
    throw new Error("the font has no character map of format 4");
  }

  // Return the glyph of a character, or 0 if the font lacks the character.
  glyphOf(code) {
    const doubled = this.#view.getUint16(this.map + 6); // twice the number of segments
    const ends = this.map + 14;
    const starts = ends + doubled + 2;
    for (let segment = 0; segment < doubled; segment += 2) {
      if (this.#view.getUint16(ends + segment) < code) continue;
      const start = this.#view.getUint16(starts + segment);
      if (start > code) return 0;
      const delta = this.#view.getUint16(starts + doubled + segment);
      const place = starts + 2 * doubled + segment;
      const offset = this.#view.getUint16(place);
      if (offset === 0) return (code + delta) & 0xffff;
      const glyph = this.#view.getUint16(place + offset + 2 * (code - start));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  }

  // Return the width of a glyph in thousandths of the size of the font.
  widthOf(glyph) {
    return this.#toThousandths(this.#at("hmtx", 4 * Math.min(glyph, this.metrics - 1)));
  }

  // Return the font as a file with only the tables that a PDF needs.
  fileForPdf() {
    const kept = TABLES_OF_PDF.filter((name) => this.#tables.has(name));
    const tables = kept.map((name) => this.#tables.get(name));
    const size = tables.reduce((sum, { length }) => sum + padded(length), HEADER + kept.length * ENTRY);
    const file = new Uint8Array(size);
    const view = new DataView(file.buffer);
    const power = Math.floor(Math.log2(kept.length));
    view.setUint32(0, 0x00010000);
    view.setUint16(4, kept.length);
    view.setUint16(6, 2 ** power * ENTRY);
    view.setUint16(8, power);
    view.setUint16(10, kept.length * ENTRY - 2 ** power * ENTRY);
    let place = HEADER + kept.length * ENTRY;
    tables.forEach(({ entry, start, length }, number) => {
      const target = HEADER + number * ENTRY;
      file.set(this.#bytes.subarray(entry, entry + ENTRY), target);
      view.setUint32(target + 8, place);
      file.set(this.#bytes.subarray(start, start + length), place);
      place += padded(length);
    });
    return file;
  }
}

const padded = (length) => Math.ceil(length / 4) * 4;
