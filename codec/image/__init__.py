"""Image files of other formats.

In: loading opens a file with one of plugins; depth and deep read more than 8 bits, modes makes grey or RGB
of what Pillow has, tags and exif find orientation and metadata, png and tiff mend what Pillow leaves out.
Out: saving chooses a format and what it can hold, writers write it.
"""
