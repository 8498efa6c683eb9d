"""Access to the service: clients, people at the desk, sign-in, rate limits, and signing of rows that grant access."""
