"""What is to be seen, without a page: the selection, and the picture that core draws of it."""
