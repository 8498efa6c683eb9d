"""Operations and queries, a folder for each subject. The layers above change stored data only through this package."""
