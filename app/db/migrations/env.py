"""How Alembic runs the revisions: on the connection of the caller, and in its transaction."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transactional_ddl=True)
context.run_migrations()
