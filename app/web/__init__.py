"""The web layer that all routes share: context, authentication, middleware, cache, responses, problems."""
