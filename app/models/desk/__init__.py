"""Tables, requests and responses of the duty team's desk."""
