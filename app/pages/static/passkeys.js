// Creates a passkey from an invitation, and signs in with a passkey (WebAuthn).
// The token of an invitation is after the # of the address, where no server and no proxy sees it. The script removes
// the token from the address and the history as soon as the page opens.
(() => {
  const button = document.querySelector("[data-passkey]");
  const fault = document.querySelector("[data-passkey-fault]");
  for (const link of document.querySelectorAll("[data-with-token]")) link.href += window.location.hash;
  if (!button) return;
  const kind = button.dataset.passkey;
  let token = "";

  function takeToken() {
    if (!window.location.hash) return;
    token = window.location.hash.slice(1);
    history.replaceState(null, "", window.location.pathname);
  }

  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const toText = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-")
      .replace(/\//g, "_")
      .replace(/=+$/, "");

  function show(words) {
    fault.textContent = words;
    fault.hidden = false;
  }

  async function post(path, fields) {
    const response = await fetch(path, { method: "POST", body: new URLSearchParams(fields), cache: "no-store" });
    if (!response.ok) {
      const isPlain = response.headers.get("content-type")?.startsWith("text/plain");
      throw new Error(isPlain ? await response.text() : "It did not work. Try again in a minute.");
    }
    return response;
  }

  async function make(path) {
    const publicKey = await (await post(`${path}/options`, { token })).json();
    publicKey.challenge = toBytes(publicKey.challenge);
    publicKey.user.id = toBytes(publicKey.user.id);
    for (const each of publicKey.excludeCredentials ?? []) each.id = toBytes(each.id);
    publicKey.extensions = { ...publicKey.extensions, prf: {} }; // so that the passkey can also lock a file of age identities
    const made = await navigator.credentials.create({ publicKey });
    const { clientDataJSON, attestationObject } = made.response;
    return describe(made, {
      clientDataJSON: toText(clientDataJSON),
      attestationObject: toText(attestationObject),
      transports: made.response.getTransports?.() ?? [],
    });
  }

  async function sign(path) {
    const publicKey = await (await post(`${path}/options`, {})).json();
    publicKey.challenge = toBytes(publicKey.challenge);
    delete publicKey.allowCredentials; // any passkey for this site
    const signed = await navigator.credentials.get({ publicKey });
    const { clientDataJSON, authenticatorData, signature, userHandle } = signed.response;
    return describe(signed, {
      clientDataJSON: toText(clientDataJSON),
      authenticatorData: toText(authenticatorData),
      signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
    });
  }

  function describe(credential, response) {
    return JSON.stringify({
      id: credential.id,
      rawId: toText(credential.rawId),
      type: credential.type,
      response,
      clientExtensionResults: {},
    });
  }

  async function start() {
    const path = `/desk/${kind}`;
    const credential = await (kind === "invitation" ? make : sign)(path);
    await post(path, { credential, token });
    window.location.replace(button.dataset.pageAfter ?? "/desk");
  }

  takeToken();
  window.addEventListener("hashchange", takeToken); // if the link is opened again while the page is open
  button.hidden = false;
  button.addEventListener("click", () => {
    fault.hidden = true;
    button.disabled = true;
    start()
      .catch((error) => {
        // The browser's own errors name the device and the site; ours are plain words.
        show(error instanceof DOMException ? "The passkey was not used. Try again." : error.message);
      })
      .finally(() => {
        button.disabled = false;
      });
  });
  if (!window.PublicKeyCredential) show("This browser has no passkeys here. They need https.");
})();
