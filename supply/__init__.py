"""The supply chain of the project: lock files, licences, bills of materials, and the audit of all of them."""
