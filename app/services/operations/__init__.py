"""Running the service: background jobs, backups, checkpoints, integrity checks and watches."""
