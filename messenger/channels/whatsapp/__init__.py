"""WhatsApp as an inbox, by the Cloud API of Meta."""
