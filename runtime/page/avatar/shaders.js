// GLSL ES 3.00. Positions are pixels of the picture, centres at whole numbers, y down.

const HEAD = `#version 300 es
precision highp float; precision highp int; precision highp sampler2D;
uniform vec2 size;
`;

export const MESH_VERTEX = HEAD + `
layout(location = 0) in vec3 vertex; layout(location = 1) in float light; layout(location = 2) in vec2 place;
uniform vec2 sheetSize; uniform vec4 foldsAt; uniform vec2 foldsSize; uniform float deepest;
out vec2 uv; out vec2 foldUv; out float shade;
void main() {
  uv = (place + 0.5) / sheetSize;
  foldUv = ((place - foldsAt.xy) / foldsAt.z + 0.5) / foldsSize;
  shade = light;
  vec2 at = (vertex.xy + 0.5) / size * 2.0 - 1.0;
  gl_Position = vec4(at.x, -at.y, vertex.z / deepest, 1.0);
}`;

const BEHIND = `
uniform sampler2D backdrop, gone; uniform vec2 behind;
vec2 here() { return vec2(gl_FragCoord.x, size.y - gl_FragCoord.y) / size; }
vec3 background() {
  vec4 rest = texture(backdrop, here());
  if (rest.a == 0.0 || behind == vec2(1.0)) return rest.rgb;
  float share = mix(behind.y, behind.x, (rest.a * 255.0 - 1.0) / 254.0);
  return mix(texture(gone, here()).rgb, rest.rgb, share);
}
`;

const PERSON = `
uniform sampler2D sheet, folds; uniform bool shaded, folded;
in vec2 uv; in vec2 foldUv; in float shade; out vec4 seen;
vec4 inLight(vec4 person) {
  float factor = shade;
  if (folded) factor += (texture(folds, foldUv).r - ${128 / 255}) * 0.5;
  return vec4(min(person.rgb * factor, person.a), person.a);
}
`;

export const SOLID = HEAD + PERSON + `
void main() { seen = vec4(texture(sheet, uv).rgb, 1.0); }`;

export const LIT = HEAD + PERSON + `
void main() { seen = vec4(inLight(texture(sheet, uv)).rgb, 1.0); }`;

export const EDGED = HEAD + BEHIND + PERSON + `
void main() {
  vec4 person = texture(sheet, uv);
  if (shaded) person = inLight(person);
  if (person.a < 1.0) person.rgb += background() * (1.0 - person.a);
  seen = vec4(person.rgb, 1.0);
}`;

export const BACKDROP = HEAD + BEHIND + `
out vec4 seen;
void main() { seen = vec4(background(), 1.0); }`;

// While head and torso are where the photo has them.
export const STILL = HEAD + BEHIND + `
out vec4 seen;
void main() { seen = vec4(texture(backdrop, here()).rgb, 1.0); }`;

export const BOX_VERTEX = HEAD + `
uniform vec4 box; uniform float depth; out vec2 q;
void main() {
  q = mix(box.xy, box.zw, vec2(gl_VertexID & 1, gl_VertexID >> 1)) - 0.5;
  vec2 at = (q + 0.5) / size * 2.0 - 1.0;
  gl_Position = vec4(at.x, -at.y, depth, 1.0);
}`;

// A polygon or line that OpenCV draws antialiased and blurs is here a function of the distance from it. A polygon is
// closed by two chains, so that slivers come out right: one edge hides what the other shows.
const EDGES = `
in vec2 q; out vec4 seen;
uniform vec2 polygon[20]; uniform int corners, upper;
const float GROW = 0.65;
float phi(float x) { float t = clamp(x, -4.0, 4.0); return 1.0 / (1.0 + exp(-t * (1.5976 + 0.070566 * t * t))); }
float away(vec2 p, vec2 a, vec2 b) {
  vec2 e = b - a, w = p - a;
  return length(w - e * clamp(dot(w, e) / max(dot(e, e), 1e-6), 0.0, 1.0));
}
vec2 chains(vec2 p) {
  vec2 d = vec2(1e9); bool inside = false;
  for (int i = 0; i < corners; i++) {
    vec2 a = polygon[i], b = polygon[i + 1 == corners ? 0 : i + 1];
    float apart = away(p, a, b);
    if (i < upper - 1) d.x = min(d.x, apart); else d.y = min(d.y, apart);
    if ((a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x) inside = !inside;
  }
  if (!inside) { if (d.x < d.y) d.x = -d.x; else d.y = -d.y; }
  return d + GROW;
}
float cover(vec2 d, float blur) { return clamp(phi(d.x / blur) + phi(d.y / blur) - 1.0, 0.0, 1.0); }
float stroke(float d, vec2 told) { return phi((told.x - d) / told.y) - phi((-told.x - d) / told.y); }
`;

const LAYERS = `
uniform sampler2D atlas;
vec2 to(vec3 rows[2], vec2 p) { return vec2(dot(rows[0], vec3(p, 1.0)), dot(rows[1], vec3(p, 1.0))); }
vec4 edged(vec4 place, vec2 p) {
  return texture(atlas, (place.xy + clamp(p, vec2(0.0), place.zw - 1.0) + 0.5) / vec2(textureSize(atlas, 0)));
}
float within(vec4 place, vec2 p) {
  vec2 a = clamp(p + 1.0, 0.0, 1.0) * clamp(place.zw - p, 0.0, 1.0);
  return a.x * a.y;
}
`;

const LENS = `
uniform bool glasses; uniform vec4 lensPlace; uniform vec3 toLens[2];
vec3 behindLens(vec3 colour) {
  if (!glasses) return colour;
  vec2 p = to(toLens, q);
  vec4 lens = edged(lensPlace, p) * within(lensPlace, p);
  return colour * (1.0 - lens.a) + lens.rgb;
}
`;

export const BALL = HEAD + EDGES + LAYERS + LENS + `
uniform vec4 white, iris; uniform vec3 toWhite[2], toIris[2];
uniform float blur, weight, shadeGain, shadeShift, shadeBlur; uniform vec2 shade;
void main() {
  vec2 p = to(toIris, q);
  vec4 moved = edged(iris, p);
  vec3 colour = mix(edged(white, to(toWhite, q)).rgb, moved.rgb, moved.a * within(iris, p));
  float lit = cover(chains(q - vec2(0.0, shadeShift)), shadeBlur);
  colour = behindLens(colour * (shade.x + shade.y * clamp(shadeGain * lit, 0.0, 1.0)));
  float alpha = cover(chains(q), blur) * weight;
  seen = vec4(colour * alpha, alpha);
}`;

export const LID = HEAD + EDGES + LAYERS + LENS + `
uniform vec4 skin; uniform vec3 toSkin[2], shadow, lash; uniform vec2 middle[5], ends[8], lashes[5], light;
uniform vec2 middleTold, endsTold, lashesTold; uniform float blur, strength, lightGain, lashStrength;
void main() {
  float d = 1e9, e = 1e9, l = 1e9;
  for (int i = 0; i < 4; i++) {
    d = min(d, away(q, middle[i], middle[i + 1]));
    l = min(l, away(q, lashes[i], lashes[i + 1]));
  }
  for (int i = 0; i < 7; i++) e = min(e, away(q, ends[i], ends[i + 1]));
  float lit = light.x + light.y * clamp(lightGain * stroke(d, middleTold), 0.0, 1.0);
  vec3 colour = behindLens(edged(skin, to(toSkin, q)).rgb * pow(vec3(lit), shadow));
  float alpha = cover(chains(q), blur) * strength;
  float line = max(stroke(e, endsTold), stroke(l, lashesTold)) * lashStrength;
  seen = vec4(colour * alpha * (1.0 - line) + behindLens(lash) * line, 1.0 - (1.0 - alpha) * (1.0 - line));
}`;

export const MOUTH = HEAD + EDGES + LAYERS + `
uniform vec4 upperPlate, lowerPlate; uniform vec3 toUpper[2], toLower[2], bounced;
uniform float blur, weight, lowerLight, shadeBlur; uniform vec2 shade;
void main() {
  vec2 above = to(toUpper, q), below = to(toLower, q), d = chains(q);
  vec4 skull = edged(upperPlate, above), jaw = edged(lowerPlate, below);
  float covered = skull.a * within(upperPlate, above);
  vec3 colour = mix(skull.rgb, jaw.rgb * lowerLight, jaw.a * within(lowerPlate, below) * (1.0 - covered));
  float lit = clamp(shade.x + shade.y * cover(d, shadeBlur), 0.0, 1.0);
  float alpha = cover(d, blur) * weight;
  seen = vec4(colour * (1.0 - (1.0 - lit) * bounced) * alpha, alpha);
}`;

// What is there already, in the box, is softened along the line.
export const JOINT = HEAD + EDGES + `
uniform sampler2D drawn; uniform vec4 from; uniform vec2 line[11], lineTold, darkTold; uniform vec3 bounced;
uniform float softness, shade, weight;
vec3 soft() {
  ivec2 at = ivec2(gl_FragCoord.xy) - ivec2(from.xy), last = ivec2(from.zw) - 1;
  vec3 sum = vec3(0.0); float total = 0.0;
  for (int y = -3; y <= 3; y++)
    for (int x = -3; x <= 3; x++) {
      float share = exp(-0.5 * float(x * x + y * y) / (softness * softness));
      sum += share * texelFetch(drawn, clamp(at + ivec2(x, y), ivec2(0), last), 0).rgb;
      total += share;
    }
  return sum / total;
}
void main() {
  float d = 1e9, inner = 1e9;
  for (int i = 0; i < 10; i++) {
    float apart = away(q, line[i], line[i + 1]);
    d = min(d, apart);
    if (i > 0 && i < 9) inner = min(inner, apart);
  }
  float alpha = min(2.0 * stroke(d, lineTold), 1.0) * weight;
  if (alpha < 0.002) discard;
  seen = vec4(soft() * (1.0 - shade * stroke(inner, darkTold) * bounced) * alpha, alpha);
}`;
