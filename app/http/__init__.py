"""What all routes share: what they depend on, who calls, middleware, cache, responses, problems, OpenAPI."""
