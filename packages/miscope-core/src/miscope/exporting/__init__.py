"""What leaves a workspace: histories as tables, variants as archives that another workspace takes in."""
