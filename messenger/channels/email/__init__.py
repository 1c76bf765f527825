"""E-mail as an inbox: a website's own address, such as support@example.com."""
