"""Running the service: background jobs, backups, checkpoints, integrity checks, and the checks of `guidance doctor`."""
