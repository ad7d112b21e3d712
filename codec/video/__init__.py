"""Clips: media in and out, frames through the model, sound and subtitles untouched.

A media file becomes a .lnt clip (encode):

    source              demuxer, description, timing: frames with times, and packets
    clip_encoder        plan, qualities, rate: which frames are key frames, and how good each is
    frame_encoder       key, inter: pixels to entropy-coded tiles
    packet_queue        sound and subtitles beside the frames that they belong to

and back (decode):

    clip_decoder        excerpt, walking: the wanted part, and what damage costs
    frame_decoder       key, inter: entropy-coded tiles to integers, and those to pixels
    muxing, sink        video_track, constant_rate, passengers: a media file; or picture_folder

Callers with frames of their own use writer and reader. What both ways share: header, timed_frame, times;
colours, pixels and turning say what FFmpeg's frames mean; ahead runs one step in a thread beside the next.
"""
