"""The built-in avatar: the photo on a 3D head surface, drawn on one CPU thread.

A face mesh and a grid around it carry the photo as a texture; each frame moves the vertices, rasterises a backward
map through a z-buffer, samples the photo once, and draws eyes and mouth interior over it.
"""
