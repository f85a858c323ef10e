"""Files of a workspace: checkpoints, artifacts, metrics, records, the ledger."""
