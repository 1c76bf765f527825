"""Database access past the ORM: the async pool, transactions that run again, bulk statements."""
