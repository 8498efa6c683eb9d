"""The HTTP layer of all routes: dependencies, authentication, middleware, cache, responses, problems and OpenAPI."""
