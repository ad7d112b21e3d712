"""Training: data, loss, trainer, calibration and export."""
