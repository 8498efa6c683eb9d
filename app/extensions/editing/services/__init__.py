"""Operations and queries of drafts, and the readers of documents and pictures."""
