"""The guided set-up of a website: pages below /admin/setup/."""
