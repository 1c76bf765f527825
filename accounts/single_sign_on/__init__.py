"""Single sign-on by OpenID Connect (docs/adr/0047)."""
