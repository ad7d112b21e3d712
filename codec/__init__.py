"""What a user calls: the API, frames, tiles, media in and out, the command line."""
