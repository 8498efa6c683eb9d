// Finds phone numbers and email addresses in decrypted text, as the service does in its own (app/pages/contact_links.py).
const CONTACT =
  /((?<![\w.+%-])[\w.+%-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,5})|((?<![\w+./-])(?:0800 1111|(?:\+[0-9]{1,3}|0)(?:[ ()-]{0,2}[0-9]){8,12})(?![\w-]|[./][0-9]))/g;

// Return the text in pieces, each with its words, and the address of a link if the piece is a number or an address.
export function contactPieces(text) {
  const pieces = [];
  let end = 0;
  for (const found of text.matchAll(CONTACT)) {
    const [words, email] = found;
    const dialled = words.startsWith("+") ? words.replaceAll(/\(0\)(?=.)|[^0-9+]/g, "") : words.replaceAll(/[^0-9]/g, "");
    pieces.push({ words: text.slice(end, found.index) }, { words, address: email ? `mailto:${email}` : `tel:${dialled}` });
    end = found.index + words.length;
  }
  return [...pieces, { words: text.slice(end) }];
}
