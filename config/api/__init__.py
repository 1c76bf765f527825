"""The public API, ``/api/v1/``: closed by default; what a user may not see is a 404."""
