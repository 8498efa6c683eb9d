// Shows the API documentation from the OpenAPI document of this service.
// It calls the service that the page came from, whatever the public address is.
// What it sends as a concern is marked as a test, so that nothing invented here reaches a duty team: the service takes
// a test with a test key alone.
const asTest = (request) => {
  const { pathname } = new URL(request.url, location.href);
  if (request.method === "POST" && pathname === "/v1/concerns") {
    request.body = JSON.stringify({ ...JSON.parse(request.body), test: true });
  }
  return request;
};

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
    }),
  );
