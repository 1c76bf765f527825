"""The builder: a website's Messenger, its look and texts, previewed before saving (R5)."""
