"""Messages: storing and reading them, attachments, rich content, and e-mails behind them."""
