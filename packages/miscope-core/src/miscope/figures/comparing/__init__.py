"""Figures of one view for several variants, put together: over each other, subtracted, averaged, on one time axis."""
