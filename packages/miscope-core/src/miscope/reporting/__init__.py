"""What is known of variants as one document for other people: a page, a text, a print, a notebook."""
