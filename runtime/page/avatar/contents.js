// The numbers of an avatar package.

// How many numbers stand under each name.
export const CONSTANTS = {
  head: { expression: 2, torso_gain: 1, turn: 2, shift: 2, room_knee: 1, hidden_room: 1, zoom: 2, steadying_turns: 2 },
  lips: { corners: 2, grin_knee: 1, grin_room: 1 },
  relief: { light: 3, ambient: 1, slope_range: 2, unseen: 1 },
  eye: {
    least_area: 1, gaze: 1, opening: 1, slack: 1, shade: 2, shade_gain: 1, shade_shift: 1, shade_blur: 2, blur: 2,
  },
  lid: {
    closing: 2, shut: 2, below: 1, corner: 2, blur: 2, light: 2, light_gain: 1, light_width: 1, light_blur: 2,
    lash: 1, lash_ends: 1, lash_blur: 2, lash_strength: 1,
  },
  mouth: {
    unit: 1, moved: 1, open: 2, blur: 2, lower_light: 1, shade_blur: 2, shade: 2, closed: 2, joined: 2, joint_px: 1,
    joint_shade: 1, joint_blur: 2, jaw_points: 3, jaw_down: 2, jaw_up: 1, jaw_shift: 3,
  },
  backdrop: { gone: 2, crown: 1 },
};
export const EXPRESSION = { wide_gain: 1, shut: 2, camera: 1, neck: 3 };
export const PUPPET = {
  scale: 1, rotation: 9, translation: 3, pivot: 3, rest_yaw: 1, hidden_knee: 1, room: 4, lid_follow: 128,
  closed_jaw: 12, on_torso: 1,
};
export const EYE = { width: 1, radius: 1 }, WHITE = { origin: 2 }, LENS = { lens_origin: 2 };
export const LID = { lid_origin: 2, down: 2, out: 2, crease: 18, shadow: 3, lash: 3 };
export const MOUTH = { width: 1, rest_area: 1, anchor: 3, to_portrait: 6, bounced: 3 };
