"""Exports: the rows behind figures as CSV or XLSX, at once or written by a worker."""
