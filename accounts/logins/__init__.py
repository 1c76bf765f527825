"""How users prove who they are, and what they change about it themselves (docs/adr/0037).

The library django-allauth carries a login from the first proof to the last, asks for another proof
before something important, and stores second factors. These modules say what holds here: which
mails are sent, how attempts are counted, what the pages look like.
"""
