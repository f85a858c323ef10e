"""The DuckDB index of a workspace, made from its files."""
