"""Web pages of access: clients, people, sign-in and limits."""
