"""Widgets for notebooks: figures under one step cursor, which is the page's own."""
