"""What the page of comparisons shows: which variants, in which way, and the pictures of each view."""
