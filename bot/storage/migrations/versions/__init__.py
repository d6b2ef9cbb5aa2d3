"""One file per step; Alembic loads them by their path."""
