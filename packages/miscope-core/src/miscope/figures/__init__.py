"""From artifacts to figures: gathering, controls, drawing, export."""
