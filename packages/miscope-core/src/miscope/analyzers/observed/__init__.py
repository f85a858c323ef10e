"""What the universal instruments say of their own numbers, in sentences."""
