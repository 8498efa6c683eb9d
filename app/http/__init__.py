"""Shared by all routes: dependencies, authentication, middleware, cache, responses, problems and OpenAPI."""
