// Shows the API documentation from the OpenAPI document of this service.
// It calls the service that the page came from, whatever the public address is.
// What it sends as a concern is marked as a test, so that nothing invented here reaches a duty team: the service takes
// a test with a test key alone. A check needs no key; one that has a key is marked too, as the concern will be.
const asTest = (request) => {
  const { pathname } = new URL(request.url, location.href);
  const isCheckWithKey = pathname === "/v1/concerns/check" && "Authorization" in request.headers;
  if (request.method === "POST" && (pathname === "/v1/concerns" || isCheckWithKey)) {
    request.body = JSON.stringify({ ...JSON.parse(request.body), test: true });
  }
  return request;
};

// Swagger UI puts a link into a button, which no screen reader can use: it shows the words alone.
const withoutLinks = ({ React }) => ({ components: { DeepLink: ({ text }) => React.createElement("span", null, text) } });

// What Swagger UI leaves without a name, a level or a way to reach it by the keyboard.
const LEVELS = { ".info .title": 1, ".opblock-tag": 2, ".models h4": 2, ".opblock-section-header h4": 3 };
const NAMES = {
  "#servers, .servers select": "Server",
  ".examples-select-element": "Example",
  "select.content-type, .content-type-wrapper select, .response-controls select": "Media type",
  "textarea.body-param__text, .body-param textarea": "Body of the request",
};
const REGIONS = { ".information-container": "About this API", ".scheme-container": "Server and keys", "section.models": "Schemas" };
const FOCUSABLE = ".microlight, .highlight-code pre, .response-col_description pre";

const putRight = () => {
  for (const [selector, level] of Object.entries(LEVELS)) {
    for (const heading of document.querySelectorAll(selector)) {
      heading.setAttribute("role", "heading");
      heading.setAttribute("aria-level", level);
    }
  }
  for (const [selector, name] of Object.entries(NAMES)) {
    for (const field of document.querySelectorAll(selector)) field.ariaLabel ??= name;
  }
  for (const box of document.querySelectorAll(FOCUSABLE)) box.tabIndex = 0;
  for (const [selector, name] of Object.entries(REGIONS)) {
    for (const region of document.querySelectorAll(selector)) {
      region.setAttribute("role", "region");
      region.ariaLabel = name;
    }
  }
};
new MutationObserver(putRight).observe(document.getElementById("documentation"), { childList: true, subtree: true });

fetch("/openapi.json")
  .then((response) => response.json())
  .then((spec) =>
    SwaggerUIBundle({
      spec: { ...spec, servers: [{ url: "/" }] },
      dom_id: "#documentation",
      deepLinking: true,
      validatorUrl: null,
      tryItOutEnabled: true,
      requestInterceptor: asTest,
      plugins: [withoutLinks],
    }),
  );
