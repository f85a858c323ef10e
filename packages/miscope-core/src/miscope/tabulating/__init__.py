"""The variants of a workspace as one table: read from the index, narrowed, ordered, grouped."""
