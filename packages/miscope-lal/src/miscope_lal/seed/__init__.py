"""The words of Least Action Learning's own configuration files and functions, each over what miscope has."""
