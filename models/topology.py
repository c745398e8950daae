"""Index sets on the 478-point face mesh: the 468 points of the face surface, then five per iris.

The numbering is that of mediapipe's Face Mesh. Sides are the subject's own.
"""

import numpy as np

SURFACE_COUNT = 468
LANDMARK_COUNT = 478

# Inner lips from the subject's right corner to the left one; both rows share the corners.
UPPER_LIP = np.array([78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308])
LOWER_LIP = np.array([78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308])
INNER_LIPS = np.concatenate([UPPER_LIP, LOWER_LIP[-2:0:-1]])
"""The closed inner contour, 20 points."""
OUTER_LIPS = np.array([61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146])
"""The closed outer contour, 20 points."""

# Eyelid contours from one corner to the other; both rows share the corners. Index 4 is the middle.
RIGHT_UPPER_LID = np.array([33, 246, 161, 160, 159, 158, 157, 173, 133])
RIGHT_LOWER_LID = np.array([33, 7, 163, 144, 145, 153, 154, 155, 133])
LEFT_UPPER_LID = np.array([263, 466, 388, 387, 386, 385, 384, 398, 362])
LEFT_LOWER_LID = np.array([263, 249, 390, 373, 374, 380, 381, 382, 362])
RIGHT_IRIS = np.array([468, 469, 470, 471, 472])  # centre first
LEFT_IRIS = np.array([473, 474, 475, 476, 477])

OUTER_EYE_CORNERS = (33, 263)
"""Subject's right and left; their distance is the unit of canonical space."""

FACE_OVAL = np.array(
    [10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
     152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109]
)  # fmt: skip
"""The closed outline of the mesh from the forehead, 36 points."""

FOREHEAD_TOP, CHIN = 10, 152

UPPER_OVAL = np.array([162, 21, 54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 389])
"""The outline from temple to temple over the forehead."""
SKULL_OVAL = np.concatenate([[58, 132, 93, 234, 127], UPPER_OVAL, [356, 454, 323, 361, 288]])
"""The outline without the jaw: no expression moves it."""
EAR_TO_EAR = np.array([234, 454])
"""Where the face ends at its sides; their distance is a face width."""
BRIDGE = np.array([168, 6, 197, 195, 8, 9, 151, 33, 133, 362, 263])
"""Nose bridge, eye corners and the middle of the forehead."""

RIGID = np.array(
    [10, 109, 67, 103, 54, 21, 162, 127, 338, 297, 332, 284, 251, 389, 356, 151, 9, 8, 168, 6, 197, 195, 5, 4,
     33, 133, 263, 362, 234, 454, 93, 323, 116, 345, 227, 447, 98, 327, 2, 1]
)  # fmt: skip
"""Points that hardly move with expression: head pose is fitted to these."""

IBUG68 = np.array(
    [127, 234, 132, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 361, 454, 356,  # jaw, from the right ear
     70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
     168, 197, 5, 4, 98, 97, 2, 326, 327,  # bridge and base of the nose
     33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes, each clockwise in the picture
     61, 40, 37, 0, 267, 270, 291, 321, 314, 17, 84, 91,  # outer lips
     78, 81, 13, 311, 308, 402, 14, 178]  # inner lips
)  # fmt: skip
"""The 68 points of the iBUG (300-W) scheme on this mesh, in its order. Sides of the scheme are the picture's."""
