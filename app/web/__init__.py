"""What the routes build on: context, authentication, responses, problems."""
