"""What happened: the live board and the reports. Reads only."""
