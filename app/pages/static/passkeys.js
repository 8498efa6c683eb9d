// Creates a passkey from an invitation, signs in with a passkey, and signs for a link to add a passkey (WebAuthn).
// The same touch gives a secret (extension PRF), if the device has one. The script that encrypts, if there is one, opens
// the person's copy of the team's key with the secret (`desk:touched`). Nothing sends the secret.
// The token of an invitation is after the # of the address, where no server and no proxy sees it. The script removes
// the token from the address and the history as soon as the page opens.
(() => {
  const SIGN_IN = "/desk/sign-in";
  const INVITATION = "/desk/invitation";
  const DEVICE = /iPhone|iPad|Android|Windows|Macintosh|CrOS|Linux/;
  for (const link of document.querySelectorAll("[data-with-token]")) link.href += window.location.hash;
  let token = "";

  function takeToken() {
    if (!window.location.hash || window.location.pathname !== INVITATION) return;
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
    const fault = document.querySelector("[data-passkey-fault]");
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

  // Return the options of the service with bytes in place of text.
  async function optionsOf(path, fields) {
    const publicKey = await (await post(`${path}/options`, fields)).json();
    publicKey.challenge = toBytes(publicKey.challenge);
    const asked = publicKey.extensions.prf.eval;
    asked.first = toBytes(asked.first);
    return publicKey;
  }

  async function make() {
    const publicKey = await optionsOf(INVITATION, { token });
    publicKey.user.id = toBytes(publicKey.user.id);
    for (const each of publicKey.excludeCredentials ?? []) each.id = toBytes(each.id);
    const made = await navigator.credentials.create({ publicKey });
    const { clientDataJSON, attestationObject } = made.response;
    const credential = describe(made, {
      clientDataJSON: toText(clientDataJSON),
      attestationObject: toText(attestationObject),
      transports: made.response.getTransports?.() ?? [],
    });
    const { prf } = made.getClientExtensionResults();
    const givesLater = Boolean(prf?.enabled && !prf.results && document.querySelector("script[src='/looks/unseal.js']"));
    return { credential, id: made.id, touch: await touchOf(made), givesLater };
  }

  async function sign() {
    const publicKey = await optionsOf(SIGN_IN, {});
    delete publicKey.allowCredentials; // any passkey for this site
    const signed = await navigator.credentials.get({ publicKey });
    const { clientDataJSON, authenticatorData, signature, userHandle } = signed.response;
    const credential = describe(signed, {
      clientDataJSON: toText(clientDataJSON),
      authenticatorData: toText(authenticatorData),
      signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
    });
    return { credential, id: signed.id, touch: await touchOf(signed) };
  }

  // Return what the script that encrypts makes of the secret: `recipient` and `open`. Return null without either.
  async function touchOf(credential) {
    const secret = credential.getClientExtensionResults().prf?.results?.first;
    if (!secret) return null;
    const detail = { secret, taken: null };
    document.dispatchEvent(new CustomEvent("desk:touched", { detail }));
    return detail.taken;
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

  async function signIn() {
    const { credential, id, touch } = await sign();
    await post(SIGN_IN, { credential, recipient: touch?.recipient ?? "" });
    return { id, touch };
  }

  // Some devices give the secret only when they sign: sign in once more, so that the key can be locked for them.
  async function accept() {
    const made = await make();
    const name = document.getElementById("device").value;
    await post(INVITATION, { credential: made.credential, token, name, recipient: made.touch?.recipient ?? "" });
    return made.givesLater ? signIn().catch(() => made) : made;
  }

  async function start(button) {
    if (button.dataset.passkey === "link") {
      button.form.elements.credential.value = (await sign()).credential;
      button.form.requestSubmit();
      return;
    }
    const { id, touch } = await (button.dataset.passkey === "invitation" ? accept() : signIn());
    const page = button.dataset.pageAfter ?? "/desk";
    if (!(await touch?.open(id, page))) window.location.replace(page);
  }

  function press(button) {
    document.querySelector("[data-passkey-fault]").hidden = true;
    button.disabled = true;
    start(button)
      .catch((error) => {
        // The browser's own errors name the device and the site; ours are plain words.
        show(error instanceof DOMException ? "The passkey was not used. Try again." : error.message);
      })
      .finally(() => {
        button.disabled = false;
      });
  }

  // Set up the current page: the first page, and each page that replaced it.
  function take() {
    const button = document.querySelector("button[data-passkey][hidden]");
    if (!button) return;
    button.hidden = false;
    button.addEventListener("click", () => press(button));
    for (const question of document.querySelectorAll("[data-passkey-name]")) {
      question.hidden = false;
      question.querySelector("input").value = DEVICE.exec(navigator.userAgent)?.[0] ?? "";
    }
    if (!window.PublicKeyCredential) show("This browser has no passkeys here. They need https.");
  }

  takeToken();
  window.addEventListener("hashchange", takeToken); // if the link is opened again while the page is open
  document.addEventListener("desk:page", take);
  take();
})();
