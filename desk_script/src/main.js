// The script of the desk's pages and of unseal.html.
import { DeskPage } from "./desk_page.js";
import { FilePage } from "./file_page.js";
import { HandOver } from "./hand_over.js";
import { Keyring } from "./keyring.js";
import { showLock } from "./lock.js";
import { SealForms } from "./seal_forms.js";
import { stayOnPage } from "./stay.js";
import { Typed } from "./typed.js";

const keyring = new Keyring(Number(document.body.dataset.idleMinutes));
if (document.querySelector("[data-unseal-file]")) {
  new FilePage(keyring);
} else {
  const typed = new Typed(keyring);
  const page = new DeskPage(keyring, () => {
    showLock(keyring);
    typed.putBack();
  });
  keyring.onForget(() => showLock(keyring));
  const send = stayOnPage(keyring, {
    onLeave: (sent) => typed.save({ sent }),
    onPage: () => {
      document.dispatchEvent(new Event("desk:page"));
      take();
    },
  });
  const handOver = new HandOver(keyring, send);
  const sealForms = new SealForms(send);
  const take = () => {
    showLock(keyring);
    handOver.take();
    sealForms.take();
    typed.take().catch(() => {}); // without a key, the browser asks before leaving
    page.take();
  };
  take();
}
