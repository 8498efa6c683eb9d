"""Tables, requests and responses of access: clients, people, sign-in and limits."""
