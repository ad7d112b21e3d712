"""The container: chunks, header, index, reader, writer, limits, errors."""
