// Shows the API documentation from the OpenAPI document of this service.
// It calls the service that the page came from, whatever the public address is.
fetch("/openapi.json")
  .then((response) => response.json())
  .then((spec) =>
    SwaggerUIBundle({
      spec: { ...spec, servers: [{ url: "/" }] },
      dom_id: "#documentation",
      deepLinking: true,
      validatorUrl: null,
      tryItOutEnabled: true,
    }),
  );
