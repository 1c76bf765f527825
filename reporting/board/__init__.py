"""The live board: who is available, what is waiting, and the conversations behind each count."""
