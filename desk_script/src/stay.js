// Sends the forms about a concern, and replaces this page by the page of the response.
// Scripts of the response do not run: every page of the desk that one can reach while signed in has the same ones.
// If the network fails, all input stays in place. The browser stores no form that was sent. While the keyring holds an
// identity, links and the other forms of the desk work in the same way, because leaving the page would forget the
// identity. Pages outside the desk are left to the browser.
const DESK = "/desk";
// What becomes of the history of the tab when a page replaces this one.
const Entry = { NEW: "new", REPLACED: "replaced", NONE: "none" };
const OK = 200;
const SERVER_ERROR = 500;
const LEADS_OUT = ["/desk/sign-in", "/desk/sign-out", "/desk/blank", "/desk/invitation"];

// Return `send`, which posts fields to the desk, and `open`, which gets a page in place of a sign-in page. Both replace
// this page by the response. `send` resolves to true if the service carried the action out. A refused form gets its response without a redirect, or from no page of the desk.
// `onLeave` is called before this page is replaced, with the path of a form that was accepted, or null. `onPage` is
// called after that.
export function stayOnPage(keyring, { onLeave, onPage }) {
  let shown = pageOf(location.href);
  let isAnswer = false; // true for a response to a form: the address is still that of the page before
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href]");
    const isPlain = event.button === 0 && !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey);
    if (!link || !isPlain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
    if (!keyring.isOpen || !isOfDesk(link.href) || isOnPage(link)) return;
    event.preventDefault();
    visit("GET", link.href);
  });
  document.addEventListener("submit", (event) => {
    const { target: form, submitter } = event;
    const address = submitter?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href;
    const stays = (keyring.isOpen || "team" in form.dataset) && !("leave" in form.dataset);
    if (event.defaultPrevented || !stays || !isOfDesk(address)) return;
    event.preventDefault();
    const fields = new URLSearchParams(new FormData(form, submitter));
    if (form.getAttribute("method") !== "post") visit("GET", `${address.split("?")[0]}?${fields}`);
    else visit("POST", address, { fields });
  });
  window.addEventListener("popstate", () => {
    if (pageOf(location.href) === shown) return; // only another anchor of the same page
    if (keyring.isOpen) visit("GET", location.href, { entry: Entry.NONE });
    else location.reload();
  });

  function visit(method, address, { fields = null, entry = Entry.NEW } = {}) {
    const wanted = new URL(address, location.href);
    const request = new XMLHttpRequest();
    request.open(method, wanted);
    request.responseType = "document"; // scripts of the response do not run
    return new Promise((resolve) => {
      request.onload = () => resolve(show(method, wanted, request, entry));
      request.onerror = () => {
        say("The service does not answer. Nothing was lost on this page. Try again.");
        resolve(false);
      };
      request.send(fields);
    });
  }

  function show(method, wanted, { response: page, responseURL: reached, status }, entry) {
    const isItsPage = method === "GET" || reached !== wanted.href; // the response to a refused form has no redirect
    const isShown = page?.querySelector("main") && isOfDesk(reached);
    if (!isItsPage && (!isShown || status >= SERVER_ERROR)) {
      say("The service did not take it. What you typed is still on this page. Try again.");
      return false;
    }
    onLeave(method === "POST" && (isItsPage || status === OK) ? wanted.pathname : null);
    if (!isShown) {
      location.assign(reached);
      return isItsPage;
    }
    if (isItsPage && entry === Entry.NEW) history.pushState(null, "", reached + wanted.hash);
    if (isItsPage && entry === Entry.REPLACED) history.replaceState(null, "", reached + wanted.hash);
    isAnswer = !isItsPage;
    replace(page, wanted.hash);
    return isItsPage;
  }

  function isOnPage(link) {
    if (link.getAttribute("href").startsWith("#")) return true;
    return !isAnswer && link.href.includes("#") && pageOf(link.href) === shown;
  }

  function replace(page, hash) {
    if (!page.querySelector("form[action='/desk/sign-out']")) keyring.forget("left"); // nobody is signed in any more
    shown = pageOf(location.href);
    document.title = page.title;
    document.body.replaceWith(document.adoptNode(page.body)); // with the header that says who is signed in
    (document.getElementById("done") ?? document.querySelector("main [autofocus]") ?? document.querySelector("main")).focus();
    window.scrollTo(0, 0);
    document.getElementById(hash.slice(1))?.scrollIntoView();
    onPage();
  }

  return {
    send: (address, fields) => visit("POST", address, { fields }),
    open: (address) => visit("GET", address, { entry: Entry.REPLACED }),
  };
}

function isOfDesk(address) {
  const { origin, pathname } = new URL(address, location.href);
  const isUnder = (path) => pathname === path || pathname.startsWith(`${path}/`);
  return origin === location.origin && isUnder(DESK) && !LEADS_OUT.some(isUnder);
}

const pageOf = (address) => address.split("#")[0];

export function say(words) {
  document.querySelector("main > [role=alert]")?.remove();
  const line = document.createElement("p");
  line.className = "problem";
  line.setAttribute("role", "alert");
  line.textContent = words;
  document.querySelector("main").prepend(line);
  line.scrollIntoView({ block: "nearest" });
}
