"""What the page to launch runs shows: fields of a family, the study they make, what there is of it, what it takes."""
