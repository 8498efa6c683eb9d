"""The database: the engine, the writer, the rules, the schema and its migrations."""
