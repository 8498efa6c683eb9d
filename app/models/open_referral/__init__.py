"""Open Referral UK: the documents of the service directory."""
