"""Database access beyond the ORM: the async pool, retried transactions, bulk statements."""
