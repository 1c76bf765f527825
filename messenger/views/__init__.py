"""Django views of the Messenger."""
