"""Privacy: exporting and erasing personal data."""
