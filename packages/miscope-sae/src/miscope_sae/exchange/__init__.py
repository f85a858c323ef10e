"""Autoencoders and transcoders in the files of other libraries: SAELens, dictionary_learning, sparsify."""
