"""Commands about guides: editions, renditions, the import of documents, and exports."""
