// Shows the API documentation from the OpenAPI document of this service.
// Requests go to the service from which the page was loaded, whatever the public address is.
// A concern that is sent from this page is marked as a test, so that nothing invented reaches a duty team. The service
// accepts a test only with a test key. A check needs no key. A check with a key is marked as a test too, like the
// concern itself.
const asTest = (request) => {
  const { pathname } = new URL(request.url, location.href);
  const isCheckWithKey = pathname === "/v1/concerns/check" && "Authorization" in request.headers;
  if (request.method === "POST" && (pathname === "/v1/concerns" || isCheckWithKey)) {
    request.body = JSON.stringify({ ...JSON.parse(request.body), test: true });
  }
  return request;
};

// The receipt of the last concern that this page sent, in the memory of the page only. A request about the concern of the
// examples is about that concern instead, with its code, so that it succeeds. If there is none yet, a test is sent first.
const OF_CONCERN = /^\/v1\/concerns\/(?!form$|check$)([^/]+)/;
const A_TEST = {
  test: true,
  immediate_danger: "no",
  reporter: { kind: "professional" },
  children: [{}],
  concern: { narrative: "A test of the API documentation." },
};
let receipt;

const sendTest = async () => {
  const headers = { "Content-Type": "application/json", Authorization: `Bearer ${testKey}` };
  const answer = await fetch("/v1/concerns", { method: "POST", headers, body: JSON.stringify(A_TEST) });
  return answer.ok ? answer.json() : undefined;
};

const aboutOwnConcern = (example) => async (request) => {
  const url = new URL(request.url, location.href);
  const [, reference] = url.pathname.match(OF_CONCERN) ?? [];
  if (reference !== example || "Authorization" in request.headers) return asTest(request);
  receipt ??= testKey && (await sendTest());
  if (!receipt) return request;
  url.pathname = url.pathname.replace(reference, receipt.reference);
  request.url = url.href;
  request.headers.Authorization = `Bearer ${receipt.status_token}`;
  return request;
};

const keepReceipt = (response) => {
  if (response.status === 201 && new URL(response.url, location.href).pathname === "/v1/concerns") receipt = response.body;
  return response;
};

// Swagger UI puts a link into a button, which screen readers cannot use: show only the text.
const withoutLinks = ({ React }) => ({ components: { DeepLink: ({ text }) => React.createElement("span", null, text) } });

// Elements to which Swagger UI gives no name, no heading level, or no focus by keyboard.
const LEVELS = { ".info .title": 1, ".opblock-tag": 2, ".group ~ .opblock-tag-section .opblock-tag": 3, ".models h4": 2, ".opblock-section-header h4": 3, ".group ~ * .opblock-section-header h4": 4 };
const NAMES = {
  ".examples-select-element": "Example",
  ".operation-filter-input": "Search the operations",
  "select.content-type, .content-type-wrapper select, .response-controls select": "Media type",
  "textarea.body-param__text, .body-param textarea": "Body of the request",
};
const REGIONS = { ".information-container": "About this API", ".filter-container": "Search", ".scheme-container": "Keys", "section.models": "Schemas" };
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
  for (const row of document.querySelectorAll("tr[data-param-name]")) {
    for (const field of row.querySelectorAll("input, select, textarea")) field.ariaLabel ??= row.dataset.paramName;
  }
  for (const table of document.querySelectorAll(".responses-table[role=region]")) table.ariaLabel ??= table.id.replaceAll("_", " ");
  for (const box of document.querySelectorAll(FOCUSABLE)) box.tabIndex = 0;
  for (const box of document.querySelectorAll(".operation-filter-input")) box.placeholder = box.ariaLabel;
  for (const button of document.querySelectorAll(".opblock-tag .expand-operation")) button.ariaLabel = button.closest("[data-tag]").dataset.tag;
  for (const [selector, name] of Object.entries(REGIONS)) {
    for (const region of document.querySelectorAll(selector)) {
      region.setAttribute("role", "region");
      region.ariaLabel = name;
    }
  }
};
new MutationObserver(putRight).observe(document.getElementById("documentation"), { childList: true, subtree: true });

const shown = document.getElementById("documentation");
const { document: address, testKey } = shown.dataset;

const followIn = (spec) => (part) => (part?.$ref ? part.$ref.slice(2).split("/").reduce((inner, step) => inner[step], spec) : part);

// Return the reference of the concern in the examples of the OpenAPI document.
const exampleReference = (spec) =>
  spec.paths["/v1/concerns/{reference}"].get.parameters.map(followIn(spec)).find((each) => each.name === "reference").example;

// Return samples of a request in three languages, with the examples of the OpenAPI document.
const samplesOf = (spec, path, method) => {
  const follow = followIn(spec);
  const operation = spec.paths[path][method];
  const given = (operation.parameters ?? []).map(follow).filter((each) => each.required && each.in !== "header");
  const value = (each) => String(each.example ?? follow(each.schema).examples?.[0] ?? each.name);
  const filled = given.filter((each) => each.in === "path").reduce((url, each) => url.replace(`{${each.name}}`, value(each)), path);
  const query = given.filter((each) => each.in === "query").map((each) => `${each.name}=${encodeURIComponent(value(each))}`);
  const url = location.origin + filled + (query.length ? `?${query.join("&")}` : "");
  const content = operation.requestBody?.content["application/json"];
  const body = content && JSON.stringify(follow(Object.values(content.examples ?? {})[0])?.value ?? content.example, null, 2);
  const needsCode = (operation.security ?? []).some((way) => "StatusToken" in way);
  const code = "the status_token of the receipt";
  const post = method !== "get";
  const curl = [`curl ${post ? `-X ${method.toUpperCase()} ` : ""}'${url}'`];
  if (needsCode) curl.push(`-H 'Authorization: Bearer ${code}'`);
  if (body) curl.push("-H 'Content-Type: application/json'", `-d '${body.replaceAll("'", "'\\''")}'`);
  const python = ["import httpx", "", `answer = httpx.request(\n    "${method.toUpperCase()}",\n    "${url}",`];
  const fields = [needsCode && `"Authorization": "Bearer ${code}"`, body && '"Content-Type": "application/json"'].filter(Boolean).join(", ");
  if (fields) python.push(`    headers={${fields}},`);
  if (body) python.push(`    content=r"""${body}""",`);
  python.push(")", "answer.raise_for_status()", "print(answer.text)");
  const headers = [needsCode && `Authorization: "Bearer ${code}"`, body && '"Content-Type": "application/json"'].filter(Boolean);
  const options = [post && `method: "${method.toUpperCase()}"`, headers.length && `headers: { ${headers.join(", ")} }`];
  if (body) options.push(`body: JSON.stringify(${body})`);
  const chosen = options.filter(Boolean).map((each) => `  ${each},\n`).join("");
  const javascript = `const answer = await fetch("${url}"${chosen && `, {\n${chosen}}`});\nconsole.log(answer.status, await answer.text());`;
  return { curl: curl.join(" \\\n  "), Python: python.join("\n"), JavaScript: javascript };
};

// On a wide screen, all samples are open beside the operation. On a phone one is open at a time, at first the first one.
const roomy = matchMedia("(min-width: 64em)").matches;

const withSamples = (spec) => ({ React }) => ({
  wrapComponents: {
    responses: (Responses) => (props) => {
      const { path, method } = props;
      const samples = spec.paths[path] ? Object.entries(samplesOf(spec, path, method)) : [];
      const one = ([name, text], place) => {
        const shown = { key: name, open: roomy || place === 0, name: roomy ? undefined : `samples of ${method} ${path}` };
        return React.createElement("details", shown, React.createElement("summary", null, name), React.createElement("pre", { tabIndex: 0 }, text));
      };
      const all = React.createElement("div", { className: "samples", role: "region", "aria-label": `Samples: ${method} ${path}` }, samples.map(one));
      return React.createElement("div", { className: "with-samples" }, samples.length > 0 && all, React.createElement(Responses, props));
    },
  },
});

// The sixteen reads of parts of a guide are a group of their own on this page, behind the concerns, which are then in sight.
const PARTS = { name: "Parts of a guide", description: "Sections, single items, and files to print or to import." };
const AFTER = "Follow-up";

const withParts = (spec) => {
  const isPart = (path, operation) => path.startsWith("/v1/guides/{guide}") && path !== "/v1/guides/{guide}" && operation.tags?.[0] === "Guides";
  const moved = ([path, methods]) => {
    const operations = Object.entries(methods).map(([method, each]) => [method, isPart(path, each) ? { ...each, tags: [PARTS.name] } : each]);
    return [path, Object.fromEntries(operations)];
  };
  const tags = spec.tags.flatMap((each) => (each.name === AFTER ? [each, PARTS] : [each]));
  const paths = Object.entries(spec.paths).map(moved);
  const place = ([, methods]) => tags.findIndex((each) => each.name === Object.values(methods)[0].tags[0]);
  return { ...spec, tags, paths: Object.fromEntries(paths.sort((one, other) => place(one) - place(other))) };
};

// A search over every operation, in place of Swagger UI's own, which looks at the names of the tags: it finds the operations that
// contain every word, says how many, and opens their tags.
const phraseIn = ({ layoutSelectors }) => [layoutSelectors.currentFilter()].find((each) => typeof each === "string")?.trim().toLowerCase();

const wordsOf = (tag, each) => {
  const told = ["summary", "description", "operationId"].map((member) => each.getIn(["operation", member]) ?? "");
  return [tag, each.get("method"), each.get("path"), ...told].join(" ").toLowerCase();
};

const found = (count) => `${count || "No"} ${count === 1 ? "operation has" : "operations have"} these words.`;

const withSearch = ({ React, getSystem }) => ({
  fn: {
    opsFilter: (tags, typed) => {
      const words = typed.toLowerCase().split(/\s+/);
      const has = (tag) => (each) => words.every((word) => wordsOf(tag, each).includes(word));
      return tags.map((tag, name) => tag.update("operations", (all) => all.filter(has(name)))).filter((tag) => tag.get("operations").size);
    },
  },
  statePlugins: {
    layout: {
      wrapSelectors: {
        isShown: (original) => (_, thing, ...more) => (thing[0] === "operations-tag" && Boolean(phraseIn(getSystem()))) || original(thing, ...more),
      },
    },
  },
  wrapComponents: {
    operations: (Operations) => (props) => {
      const system = getSystem();
      const count = phraseIn(system) && system.specSelectors.taggedOperations().reduce((sum, tag) => sum + tag.get("operations").size, 0);
      const status = React.createElement("p", { className: "found", role: "status" }, count === undefined || count === "" ? "" : found(count));
      return React.createElement("div", null, status, count !== 0 && React.createElement(Operations, props));
    },
  },
});

// The groups of the tags (`x-tagGroups`), which Swagger UI does not show: a heading before the first tag of each. What the service sends
// is at the end, closed.
const withGroups = (spec) => ({ React, getSystem }) => {
  const used = new Set(Object.values(spec.paths).flatMap((methods) => Object.values(methods).flatMap((each) => each.tags)));
  const isShown = (tag) => (phraseIn(getSystem()) ? getSystem().specSelectors.taggedOperations().has(tag) : used.has(tag));
  return {
    wrapComponents: {
      Webhooks: (Webhooks) => (props) =>
        React.createElement("details", { className: "wrapper" }, React.createElement("summary", null, "What the service sends: webhooks"), React.createElement(Webhooks, props)),
      OperationTag: (Tag) => (props) => {
        const group = spec["x-tagGroups"].find((each) => each.tags.find(isShown) === props.tag);
        return React.createElement(React.Fragment, null, group && React.createElement("h2", { className: "group" }, group.name), React.createElement(Tag, props));
      },
    },
  };
};

const dark = matchMedia("(prefers-color-scheme: dark)");
const followColours = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followColours);
followColours();

fetch(address)
  .then((response) => response.json())
  .then((document) => {
    const isWhole = address === "/openapi.json"; // a long list: by groups, with closed tags
    const spec = isWhole ? document : withParts(document);
    const { tags, operationId } = Object.values(spec.paths).find(({ get }) => get?.tags[0] === "Guides").get;
    const opensFirst = roomy && !isWhole && !location.hash; // without a history entry, to which Back would lead after the exit
    const ui = SwaggerUIBundle({
      spec: { ...spec, servers: undefined },
      dom_id: "#documentation",
      deepLinking: !opensFirst,
      validatorUrl: null,
      tryItOutEnabled: true,
      defaultModelsExpandDepth: -1,
      docExpansion: isWhole ? "none" : "list",
      filter: true,
      syntaxHighlight: { activated: false }, // colouring every example again after each change took half of the time
      requestInterceptor: aboutOwnConcern(exampleReference(spec)),
      responseInterceptor: keepReceipt,
      plugins: [withoutLinks, withSamples(spec), withSearch, ...(isWhole ? [withGroups(spec)] : [])],
      onComplete: () => {
        if (testKey) ui.preauthorizeApiKey("ClientKey", testKey);
        if (opensFirst) ui.layoutActions.show(["operations", tags[0], operationId], true);
        ui.configsActions.update("deepLinking", true);
      },
    });
  });
