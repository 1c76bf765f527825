"""Exports: the rows behind figures as CSV or XLSX, at once or made by a worker."""
