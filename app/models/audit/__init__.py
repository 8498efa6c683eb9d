"""Tables, requests and responses of the audit log."""
