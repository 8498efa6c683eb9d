// Makes a PDF of headings and paragraphs, with one file attached. It is tagged for screen readers, and its text can be
// searched and copied. Nothing is fetched, and no script or link is in it.
const WIDTH = 595; // points: A4
const HEIGHT = 842;
const MARGIN = 54;
const FOOT = 30; // points from the bottom to the line at the foot of each page
const FOOT_SIZE = 8.5;
const LEADING = 1.35; // line height, in sizes of the font
const STYLES = {
  H1: { size: 19, before: 0, after: 8, isBold: true },
  H2: { size: 13.5, before: 14, after: 4, isBold: true },
  H3: { size: 11.5, before: 9, after: 3, isBold: true },
  P: { size: 10.5, before: 0, after: 4, isBold: false },
};
const BOLD = "2 Tr 0.35 w"; // the outline of a letter is drawn too
const PLAIN = "0 Tr 0 w";
const CATALOG = 1;
const PAGES = 2;
const MISSING = "□";

const latin = (text) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const hex = (number) => number.toString(16).padStart(4, "0").toUpperCase();
const utf16 = (text) => [...Array(text.length).keys()].map((place) => hex(text.charCodeAt(place))).join("");
const textString = (text) => `<FEFF${utf16(text)}>`;

// Return the bytes of a PDF. `blocks` are headings and paragraphs: each has a `tag`, which is a key of `STYLES`, a
// `text`, and perhaps a `label` before it in bold. `attached` has the name, the bytes and the description of the file.
// `font` is a `PdfFont`, and `footer` is at the foot of each page.
export async function makePdf({ title, language, blocks, attached, footer, font, now }) {
  const writer = new ObjectWriter();
  const text = new TextSetter(font);
  const pages = layOut(blocks, text);
  pages.forEach((page, number) => page.foot(footer, number + 1, pages.length, text));
  const fontObject = await writeFont(writer, font, text);
  const structure = writer.take();
  const document_ = writer.take();
  const pageObjects = pages.map(() => writer.take());
  const elements = await writeStructure(writer, pages, pageObjects, { structure, document: document_ });
  await writePages(writer, pages, pageObjects, fontObject);
  const file = await writeAttachment(writer, attached, now);
  writer.write(PAGES, `<< /Type /Pages /Kids [${pageObjects.map(ref).join(" ")}] /Count ${pages.length} >>`);
  writer.write(document_, `<< /Type /StructElem /S /Document /P ${ref(structure)} /K [${elements.map(ref).join(" ")}] >>`);
  writer.write(
    CATALOG,
    `<< /Type /Catalog /Pages ${ref(PAGES)} /Lang ${textString(language)} /MarkInfo << /Marked true >> /StructTreeRoot ${ref(structure)} ` +
      `/ViewerPreferences << /DisplayDocTitle true >> /AF [${ref(file)}] /Names << /EmbeddedFiles << /Names [${textString(attached.name)} ${ref(file)}] >> >> >>`,
  );
  const info = writer.take();
  writer.write(info, `<< /Title ${textString(title)} /CreationDate (${dateOf(now)}) /ModDate (${dateOf(now)}) >>`);
  return writer.finish(CATALOG, info);
}

const ref = (number) => `${number} 0 R`;

const dateOf = (now) => `D:${now.toISOString().replace(/[-:T]/g, "").slice(0, 14)}Z`;

// Collects the numbered objects of a PDF, and writes them with the table that finds them.
class ObjectWriter {
  #parts = [latin("%PDF-1.7\n%âãÏÓ\n")];
  #length = this.#parts[0].length;
  #places = new Map();
  #last = PAGES;

  take() {
    this.#last += 1;
    return this.#last;
  }

  #add(bytes) {
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }

  write(number, text) {
    this.#places.set(number, this.#length);
    this.#add(latin(`${number} 0 obj\n${text}\nendobj\n`));
    return number;
  }

  // Write `bytes`, compressed, as a stream with further `entries` in its dictionary.
  async stream(number, bytes, entries = "") {
    const packed = await deflated(bytes);
    this.#places.set(number, this.#length);
    this.#add(latin(`${number} 0 obj\n<< /Length ${packed.length} /Filter /FlateDecode ${entries} >>\nstream\n`));
    this.#add(packed);
    this.#add(latin("\nendstream\nendobj\n"));
    return number;
  }

  finish(root, info) {
    const start = this.#length;
    const lines = [...Array(this.#last).keys()].map((each) => `${String(this.#places.get(each + 1)).padStart(10, "0")} 00000 n \n`);
    this.#add(latin(`xref\n0 ${this.#last + 1}\n0000000000 65535 f \n${lines.join("")}`));
    this.#add(latin(`trailer\n<< /Size ${this.#last + 1} /Root ${ref(root)} /Info ${ref(info)} >>\nstartxref\n${start}\n%%EOF\n`));
    return joined(this.#parts, this.#length);
  }
}

function joined(parts, length) {
  const whole = new Uint8Array(length);
  let place = 0;
  for (const part of parts) {
    whole.set(part, place);
    place += part.length;
  }
  return whole;
}

async function deflated(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Turns text into glyphs, and remembers which glyphs are used for which characters.
class TextSetter {
  used = new Map(); // by glyph, the character
  #font;
  #known = new Map(); // by character, its glyph and width

  constructor(font) {
    this.#font = font;
  }

  #of(character) {
    if (!this.#known.has(character)) {
      const found = this.#font.glyphOf(character.codePointAt(0));
      const shown = found === 0 ? MISSING : character;
      const glyph = found === 0 ? this.#font.glyphOf(MISSING.codePointAt(0)) : found;
      this.#known.set(character, { glyph, width: this.#font.widthOf(glyph) });
      this.used.set(glyph, shown);
    }
    return this.#known.get(character);
  }

  widthOf = (text, size) => [...text].reduce((sum, character) => sum + this.#of(character).width, 0) * (size / 1000);

  glyphsOf = (text) => `<${[...text].map((character) => hex(this.#of(character).glyph)).join("")}>`;

  // Return the lines of a text that are no wider than `width`. A word that is wider is broken. `indent` is the width
  // that the first line has less.
  linesOf(text, size, width, indent = 0) {
    return text.split("\n").flatMap((paragraph, number) => this.#wrapped(paragraph, size, width, number === 0 ? indent : 0));
  }

  #wrapped(paragraph, size, width, indent) {
    const lines = [""];
    const room = () => width - (lines.length === 1 ? indent : 0);
    for (const word of paragraph.replace(/\t/g, "    ").split(/(?<= )/)) {
      if (this.widthOf((lines.at(-1) + word).trimEnd(), size) <= room()) lines[lines.length - 1] += word;
      else if (this.widthOf(word.trimEnd(), size) <= width) lines.push(word);
      else for (const character of word) this.#put(lines, character, size, room);
    }
    return lines;
  }

  #put(lines, character, size, room) {
    if (this.widthOf(lines.at(-1) + character, size) <= room()) lines[lines.length - 1] += character;
    else lines.push(character);
  }
}

// One page: its drawing, and the block of each marked part of the drawing. A line is a part.
class Page {
  drawing = [];
  parts = [];
  y = HEIGHT - MARGIN;

  draw(block, pieces, size) {
    this.parts.push(block);
    this.y -= size * LEADING;
    this.drawing.push(`/${block.tag} << /MCID ${this.parts.length - 1} >> BDC`, ...shown(pieces, size, this.y), "EMC");
  }

  foot(words, number, count, text) {
    const pieces = [{ glyphs: text.glyphsOf(`${words} ${number} of ${count}`), isBold: false }];
    this.drawing.push("/Artifact BMC", ...shown(pieces, FOOT_SIZE, FOOT), "EMC");
  }
}

const shown = (pieces, size, y) => [
  "BT",
  `/F1 ${size} Tf 1 0 0 1 ${MARGIN} ${y.toFixed(2)} Tm`,
  ...pieces.map(({ glyphs, isBold }) => `${isBold ? BOLD : PLAIN} ${glyphs} Tj`),
  "ET",
];

function layOut(blocks, text) {
  const pages = [new Page()];
  for (const block of blocks) {
    const { size, before, after, isBold } = STYLES[block.tag];
    const label = block.label ? `${block.label} ` : "";
    const indent = text.widthOf(label, size);
    const lines = text.linesOf(block.text, size, WIDTH - 2 * MARGIN, indent);
    const room = block.tag === "P" ? size * LEADING : 3 * size * LEADING; // a heading is not the last line of a page
    pages.at(-1).y -= before;
    if (pages.at(-1).y - room < MARGIN) pages.push(new Page());
    lines.forEach((line, number) => {
      if (pages.at(-1).y - size * LEADING < MARGIN) pages.push(new Page());
      const head = number === 0 && label ? [{ glyphs: text.glyphsOf(label), isBold: true }] : [];
      pages.at(-1).draw(block, [...head, { glyphs: text.glyphsOf(line.trimEnd()), isBold }], size);
    });
    pages.at(-1).y -= after;
  }
  return pages;
}

// Write the font, with the letters of all text that was set. Return the number of its object.
async function writeFont(writer, font, text) {
  const [file, descriptor, descendant, map, whole] = [1, 2, 3, 4, 5].map(() => writer.take());
  const bytes = font.fileForPdf();
  await writer.stream(file, bytes, `/Length1 ${bytes.length}`);
  const box = font.box.join(" ");
  writer.write(
    descriptor,
    `<< /Type /FontDescriptor /FontName /Export-Regular /Flags 4 /FontBBox [${box}] /ItalicAngle 0 /Ascent ${font.ascent} /Descent ${font.descent} ` +
      `/CapHeight ${font.ascent} /StemV 80 /FontFile2 ${ref(file)} >>`,
  );
  const widths = [...text.used.keys()].sort((one, other) => one - other).map((glyph) => `${glyph} [${font.widthOf(glyph)}]`);
  writer.write(
    descendant,
    `<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Export-Regular /CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> ` +
      `/FontDescriptor ${ref(descriptor)} /DW 500 /W [${widths.join(" ")}] /CIDToGIDMap /Identity >>`,
  );
  await writer.stream(map, latin(charactersOf(text.used)));
  return writer.write(whole, `<< /Type /Font /Subtype /Type0 /BaseFont /Export-Regular /Encoding /Identity-H /DescendantFonts [${ref(descendant)}] /ToUnicode ${ref(map)} >>`);
}

// Return the map from glyphs to characters, by which text is searched and copied.
function charactersOf(used) {
  const lines = [...used].map(([glyph, character]) => `<${hex(glyph)}> <${utf16(character)}>`);
  const groups = [];
  for (let start = 0; start < lines.length; start += 100) groups.push(lines.slice(start, start + 100));
  const head = "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /Export def /CMapType 2 def 1 begincodespacerange <0000> <FFFF> endcodespacerange\n";
  return `${head}${groups.map((group) => `${group.length} beginbfchar\n${group.join("\n")}\nendbfchar\n`).join("")}endcmap end end\n`;
}

// Write an element for each block, and the tree that leads from the parts of each page to the elements. Return the
// numbers of the elements.
async function writeStructure(writer, pages, pageObjects, { structure, document }) {
  const numbers = new Map();
  const parts = new Map(); // by block, its parts: each a page and a number
  pages.forEach((page, place) =>
    page.parts.forEach((block, number) => {
      if (!numbers.has(block)) numbers.set(block, writer.take());
      parts.set(block, [...(parts.get(block) ?? []), { page: pageObjects[place], number }]);
    }),
  );
  for (const [block, number] of numbers) {
    const kids = parts.get(block).map((part) => `<< /Type /MCR /Pg ${ref(part.page)} /MCID ${part.number} >>`);
    writer.write(number, `<< /Type /StructElem /S /${block.tag} /P ${ref(document)} /K [${kids.join(" ")}] >>`);
  }
  const ofPages = pages.map((page, place) => `${place} [${page.parts.map((block) => ref(numbers.get(block))).join(" ")}]`);
  writer.write(structure, `<< /Type /StructTreeRoot /K ${ref(document)} /ParentTree << /Nums [${ofPages.join(" ")}] >> /ParentTreeNextKey ${pages.length} >>`);
  return [...numbers.values()];
}

async function writePages(writer, pages, pageObjects, fontObject) {
  for (const [place, page] of pages.entries()) {
    const drawing = await writer.stream(writer.take(), latin(page.drawing.join("\n")));
    writer.write(
      pageObjects[place],
      `<< /Type /Page /Parent ${ref(PAGES)} /MediaBox [0 0 ${WIDTH} ${HEIGHT}] /Resources << /Font << /F1 ${ref(fontObject)} >> >> ` +
        `/Contents ${ref(drawing)} /StructParents ${place} /Tabs /S >>`,
    );
  }
}

async function writeAttachment(writer, { name, bytes, description }, now) {
  const content = await writer.stream(writer.take(), bytes, `/Type /EmbeddedFile /Subtype /application#2Fjson /Params << /Size ${bytes.length} /ModDate (${dateOf(now)}) >>`);
  return writer.write(
    writer.take(),
    `<< /Type /Filespec /F ${textString(name)} /UF ${textString(name)} /Desc ${textString(description)} /AFRelationship /Source /EF << /F ${ref(content)} /UF ${ref(content)} >> >>`,
  );
}
