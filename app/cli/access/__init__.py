"""Commands about access: clients and their keys, and the people at the desk."""
