// Sends the token of a link to a draft, which is after the `#` of the address and reaches no log. Without JavaScript,
// people paste the link into the form.
(() => {
  const form = document.querySelector("[data-draft-link]");
  const token = decodeURIComponent(window.location.hash.slice(1));
  if (!form || !token) return;
  history.replaceState(null, "", window.location.pathname);
  form.elements.token.value = token;
  form.submit();
})();
