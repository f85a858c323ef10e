"""What is installed: offers of packages, checked and in tables."""
