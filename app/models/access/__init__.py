"""Tables and types of access: clients, people, roles, names and sign-in."""
