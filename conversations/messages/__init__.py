"""Messages: sending and reading them, attachments, rich content and inbound e-mails."""
