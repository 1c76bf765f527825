"""The live board: who is available, what waits, and the conversations behind each count."""
