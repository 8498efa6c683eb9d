"""Operations and queries of the duty team's desk."""
