// The script of the desk's pages and of unseal.html.
import nicknames from "./nicknames.json";
import { CardPlaces } from "./card_places.js";
import { CopySheet } from "./copy_sheet.js";
import { DeskPage } from "./desk_page.js";
import { ExportFile } from "./export_file.js";
import { FilePage } from "./file_page.js";
import { Find } from "./find.js";
import { FindRow } from "./find_row.js";
import { HandOver } from "./hand_over.js";
import { KeyForms } from "./key_forms.js";
import { Keyring } from "./keyring.js";
import { KnownWhileTyped } from "./known_while_typed.js";
import { LabelUndo } from "./label_undo.js";
import { DeskLock } from "./lock.js";
import { Matching } from "./matching.js";
import { OpenedCards, Scope } from "./opened_cards.js";
import { PerhapsKnown } from "./perhaps_known.js";
import { PersonFile } from "./person_file.js";
import { SealForms } from "./seal_forms.js";
import { stayOnPage } from "./stay.js";
import { Touch } from "./touch.js";
import { Typed } from "./typed.js";
import { WriteDown } from "./write_down.js";

const keyring = new Keyring(Number(document.body.dataset.idleMinutes));
if (document.querySelector("[data-unseal-file]")) {
  new FilePage(keyring);
} else {
  const typed = new Typed(keyring);
  const cards = new OpenedCards(keyring);
  const matching = new Matching(nicknames);
  const places = new CardPlaces(cards);
  const find = new Find(keyring, cards, matching);
  const findRow = new FindRow(cards, matching);
  let openPage = null;
  const page = new DeskPage(keyring, {
    openCards: (identities) => cards.load(Scope.CURRENT, identities),
    openPage: (address) => openPage(address),
    onOpened: () => {
      lock.show();
      typed.putBack().then(() => personFile.take(), () => {});
      find.open();
      find.mark();
      perhapsKnown.take();
      labelUndo.take().catch(() => {}); // the button stays disabled
      copySheet.take();
    },
  });
  const lock = new DeskLock(keyring, { use: (...given) => page.open(...given), openLocked: (bytes) => page.openLocked(bytes) });
  find.onNeedKey(() => lock.unlock());
  let hasActed = false;
  const { send, open } = stayOnPage(keyring, {
    onLeave: (sent) => {
      hasActed = sent !== null;
      typed.save({ sent });
    },
    onPage: () => {
      document.dispatchEvent(new Event("desk:page"));
      take();
    },
  });
  openPage = open;
  new Touch(keyring, open);
  const keyForms = new KeyForms(send);
  const labelUndo = new LabelUndo(keyring);
  const copySheet = new CopySheet(keyring);
  const exportFile = new ExportFile(keyring);
  const personFile = new PersonFile(keyring, cards, { matching, post: send });
  const handOver = new HandOver(keyring, send);
  const sealForms = new SealForms(send);
  const perhapsKnown = new PerhapsKnown(keyring, cards, { matching, send });
  const writeDown = new WriteDown(send);
  const knownWhileTyped = new KnownWhileTyped(cards, matching);
  const take = () => {
    lock.take();
    handOver.take();
    sealForms.take();
    keyForms.take();
    writeDown.take();
    exportFile.take();
    typed.take().then(() => [knownWhileTyped, personFile].forEach((each) => each.take()), () => {}); // without a key, the browser asks before leaving
    page.take();
    places.take();
    find.take();
    findRow.take();
    perhapsKnown.take();
    knownWhileTyped.take();
    personFile.take();
    copySheet.take();
    cards.refresh(hasActed).catch(() => {}); // the cards that are open stay
    hasActed = false;
  };
  take();
}
