"""E-mail: when it is due, how it is composed and sent, and the replies that come back."""
