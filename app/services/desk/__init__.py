"""The operations of the duty team and of auditors."""
