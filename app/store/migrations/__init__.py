"""The schema's history: one revision after another, each as the SQL that brought it about, for either database."""
