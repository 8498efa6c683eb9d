"""Commands about guides: editions, renditions and exports."""
