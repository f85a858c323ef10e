"""Mathematics that instruments share: pure functions of arrays, each with its source and a calibration test."""
