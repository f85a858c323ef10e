"""The web server's own: who may ask, how often, with what body, and how what is refused is told."""
