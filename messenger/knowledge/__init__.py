"""Articles for visitors: public pages, in the Messenger, and their administration."""
