"""API routes of guides: editions, renditions, drafts and their documents."""
