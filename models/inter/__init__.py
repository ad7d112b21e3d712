"""Inter frames: a prediction moved from the decoded frame before, and a learned coder of the rest."""
