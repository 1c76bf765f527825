"""The public API, ``/api/v1/``: closed by default, what one may not see is a 404."""
