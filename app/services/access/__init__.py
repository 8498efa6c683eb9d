"""Operations and queries of access: clients, people, sign-in and limits."""
