"""What scripts ask under /api/v1: routes, the bodies they take and the models they answer with."""
