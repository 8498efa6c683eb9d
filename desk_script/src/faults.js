// The errors that a person can see, each in one calm sentence. No sentence contains text of a concern.
const SENTENCES = {
  "no-identity": "This file holds no key. Choose the file that “guidance keys new” or “age-keygen” made.",
  passphrase: "The passphrase does not open this file. Try again.",
  "too-strong": "This file takes more memory to open than a browser has. Lock the file again on this page.",
  passkey: "The passkey was not used, or is not the one that locked this file. Try again.",
  "no-passkeys": "This browser, or this device, cannot lock a file by a passkey. Use a passphrase.",
  "no-copy": "The service has no copy of the team’s key for this passkey. Choose the file of the key, or ask a lead to give you the key.",
  "no-prf": "This device cannot open a key with a touch. Choose the file of the key.",
  "not-fetched-key": "Your copy of the key could not be fetched. Sign in again, or try again in a minute.",
  "wrong-copy": "Your copy of the key does not open with this passkey. Choose the file of the key, or ask a lead to give you the key again.",
  short: "A passphrase needs 12 characters or more. Four or five words from a dictionary are good.",
  locked: "This file is locked already.",
  "other-keys": "This key does not open it: it was encrypted to other keys. Choose the file of another key.",
  "kind-of-key": "The key of the recipient is of a kind that is not used here. Nothing was sent. Tell the operator.",
  damaged: "This text is damaged. Nothing of it is shown. Tell the operator.",
  misplaced: "This is not the text that belongs here. It cannot be shown. Tell the operator, who can find out what was changed.",
  several: "These files are of several concerns. Choose those of one. Nothing is shown.",
  "no-file": "Choose the sealed concern too, and then press Open.",
  "no-text": "This is neither a sealed text nor the JSON of one. Choose what the desk or the API gave you.",
  "no-words": "Write something first. Nothing was sent.",
  "too-long": "This is too long. Shorten it, or write it in two. Nothing was sent.",
  closed: "Open the concern on this page first. The file for the body is made with the key. Nothing was done.",
  "closed-words": "Open the concern on this page first. Nothing was done.",
  "closed-identity": "Press “Locked” at the top first. Nothing was opened.",
  "no-names": "Type the names of the person first: the page marks what names others. Nothing was opened.",
  "another-file": "This is not the file that was made last for this request. Nothing was recorded.",
  "not-recorded": "The service did not record this, so nothing was shown. Sign in again, or try again in a minute.",
  "not-fetched": "The concern could not be fetched from the service. Nothing was done. Sign in again, or try again in a minute.",
  "not-exported": "The service did not take the export. No file was made. Reload the page, and try again.",
  "no-font": "The service has no font for a PDF. Use “guidance desk export”. Nothing was done.",
  "cards-not-fetched": "The names of the concerns could not be fetched from the service. Sign in again, or try again in a minute.",
  "not-taken": "The service did not take it for the other concern. Open that concern, and try it there.",
  "no-cards": "Your role cannot search concerns. You can still open each one.",
  defect: "Something went wrong. Nothing was sent. Reload the page, and try again.",
};

export class Fault extends Error {
  constructor(name) {
    super(SENTENCES[name]);
    this.name = name;
  }
}

// Return the sentence to show for any thrown error.
export const sentenceOf = (error) => (error instanceof Fault ? error : new Fault("defect")).message;
