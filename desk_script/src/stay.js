// A form about a concern is sent by this script, and what answers it takes the place of this page: a fault of the network
// leaves all that was typed where it is, and the browser stores no form that it sent. While an identity is held, links
// and the other forms of the desk do so too: a page that is left forgets the identity. Whatever is not a page of the desk
// is left to the browser.
const DESK = "/desk";
const OK = 200;
const SERVER_ERROR = 500;
const LEADS_OUT = ["/desk/sign-in", "/desk/sign-out", "/desk/blank", "/desk/invitation"];

// Return the function that posts fields to a page of the desk, and shows what answers in place of this page. It gives
// whether the service did it: what it refuses is answered at the address of the form itself, or not by the desk at all.
// `onLeave` is called before this page goes, with the address of the form that was sent and done, and `onPage` after that.
export function stayOnPage(keyring, { onLeave, onPage }) {
  let shown = pageOf(location.href);
  let isAnswer = false; // to a form: it has no address of its own, and the address is that of the page before
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
    if (pageOf(location.href) === shown) return; // another place of the same page
    if (keyring.isOpen) visit("GET", location.href, { isNew: false });
    else location.reload();
  });

  function visit(method, address, { fields = null, isNew = true } = {}) {
    const wanted = new URL(address, location.href);
    const request = new XMLHttpRequest();
    request.open(method, wanted);
    request.responseType = "document"; // no script of it runs
    return new Promise((resolve) => {
      request.onload = () => resolve(show(method, wanted, request, isNew));
      request.onerror = () => {
        say("The service does not answer. Nothing was lost on this page. Try again.");
        resolve(false);
      };
      request.send(fields);
    });
  }

  function show(method, wanted, { response: page, responseURL: reached, status }, isNew) {
    const isItsPage = method === "GET" || reached !== wanted.href; // a form that was refused has no page of its own
    const isShown = page?.querySelector("main") && isOfDesk(reached) && !hasOtherScripts(page);
    if (!isItsPage && (!isShown || status >= SERVER_ERROR)) {
      say("The service did not take it. What you typed is still on this page. Try again.");
      return false;
    }
    onLeave(method === "POST" && (isItsPage || status === OK) ? wanted.pathname : null);
    if (!isShown) {
      location.assign(reached);
      return isItsPage;
    }
    if (isNew && isItsPage) history.pushState(null, "", reached + wanted.hash);
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
    document.body.replaceWith(document.adoptNode(page.body)); // with its head, which says who is signed in
    (document.getElementById("done") ?? document.querySelector("main")).focus();
    window.scrollTo(0, 0);
    document.getElementById(hash.slice(1))?.scrollIntoView();
    onPage();
  }

  return (address, fields) => visit("POST", address, { fields });
}

function isOfDesk(address) {
  const { origin, pathname } = new URL(address, location.href);
  const isUnder = (path) => pathname === path || pathname.startsWith(`${path}/`);
  return origin === location.origin && isUnder(DESK) && !LEADS_OUT.some(isUnder);
}

const pageOf = (address) => address.split("#")[0];

// A page with a script of its own is loaded whole.
function hasOtherScripts(other) {
  const sourcesOf = (page) => [...page.querySelectorAll("script[src]")].map((script) => script.getAttribute("src"));
  const own = sourcesOf(document);
  return sourcesOf(other).some((source) => !own.includes(source));
}

function say(words) {
  document.querySelector("main > [role=alert]")?.remove();
  const line = document.createElement("p");
  line.className = "problem";
  line.setAttribute("role", "alert");
  line.textContent = words;
  document.querySelector("main").prepend(line);
  line.scrollIntoView({ block: "nearest" });
}
