"""What the project is made of: lock files, licences, bills of materials, and the audit of them."""
