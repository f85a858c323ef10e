"""What a visitor sees: the workbench and its parts, of Panel."""
