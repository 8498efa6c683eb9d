"""The desk: its requests, responses and the record of disclosures."""
