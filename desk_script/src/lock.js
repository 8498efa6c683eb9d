// Says in the header of the desk whether this page holds an identity that opens concerns.
const LOCKED = "Locked";
const OPEN = "Unlocked";

export function showLock(keyring) {
  for (const place of document.querySelectorAll("[data-lock]")) {
    place.hidden = false;
    place.classList.toggle("unlocked", keyring.isOpen);
    place.textContent = keyring.isOpen ? OPEN : LOCKED;
  }
}
