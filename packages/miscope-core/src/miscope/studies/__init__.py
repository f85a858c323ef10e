"""Studies: a file of variants and analyses becomes requests, and what is not there yet is run."""
