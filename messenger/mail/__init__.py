"""E-mail: who is owed one, how it is composed and sent, and what comes back as a reply."""
