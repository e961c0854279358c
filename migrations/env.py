"""Alembic's entry: app.migrating hands in the engine. Revisions import no models."""

from alembic import context
from sqlalchemy import Engine

import app.models  # the tables, for comparing the schema with the models
from app.db import Base

engine: Engine = context.config.attributes["engine"]

assert app.models.__all__, "importing the models registers them on Base.metadata"

with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=Base.metadata,
        # SQLite cannot alter most things in place; Alembic copies the table instead.
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
