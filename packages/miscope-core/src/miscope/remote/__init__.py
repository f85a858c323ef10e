"""The workspace of a server, in the words of a workspace that is here."""
