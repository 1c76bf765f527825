"""Reporting: the live board, reports, figures, exports, sales and the queue-size simulator."""
