"""Operations and queries of guides: editions, renditions, drafts and their documents."""
