"""Clips: media in and out, frames through the model, sound and subtitles untouched."""
