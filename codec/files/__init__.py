"""Where bytes come from and go to: paths, streams and pipes, whole or not at all."""
