"""Tables, requests and responses of operation: jobs, backups, integrity checks and the doctor."""
