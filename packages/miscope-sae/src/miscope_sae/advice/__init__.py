"""What is said of a training before it begins and while it runs, and the ranges that this follows from."""
