"""Tables, requests and responses of guides: editions, renditions, drafts and their documents."""
