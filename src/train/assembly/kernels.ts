/**
 * The optimiser's loops in AssemblyScript: one pass over memory each, four float32 at a time. Buffers are byte addresses;
 * `length` is in elements and a multiple of 8, so that there are no tails. Operations keep the order that they are
 * written in (WebAssembly neither reorders nor fuses them), so results are the same on every processor.
 * `scripts/build-wasm.js` compiles this file into `../kernels.ts`.
 */

/**
 * Adam's update of parameters p and moments m and v from the gradient g. The gradient is `scale * g + coupled * p`;
 * `rate` and `epsilon` contain the bias corrections; `decay` is what decoupled weight decay leaves of a parameter.
 */
export function adam(
  p: usize,
  m: usize,
  v: usize,
  g: usize,
  length: usize,
  scale: f32,
  coupled: f32,
  keep1: f32,
  new1: f32,
  keep2: f32,
  new2: f32,
  rate: f32,
  epsilon: f32,
  decay: f32,
): void {
  const scales = f32x4.splat(scale);
  const couplings = f32x4.splat(coupled);
  const keeps1 = f32x4.splat(keep1);
  const news1 = f32x4.splat(new1);
  const keeps2 = f32x4.splat(keep2);
  const news2 = f32x4.splat(new2);
  const rates = f32x4.splat(rate);
  const epsilons = f32x4.splat(epsilon);
  const decays = f32x4.splat(decay);
  const bytes = length << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    const parameter = v128.load(p + i);
    const gradient = f32x4.add(f32x4.mul(v128.load(g + i), scales), f32x4.mul(parameter, couplings));
    const first = f32x4.add(f32x4.mul(v128.load(m + i), keeps1), f32x4.mul(gradient, news1));
    const square = f32x4.mul(gradient, gradient);
    const second = f32x4.add(f32x4.mul(v128.load(v + i), keeps2), f32x4.mul(square, news2));
    const change = f32x4.div(f32x4.mul(first, rates), f32x4.add(f32x4.sqrt(second), epsilons));
    v128.store(m + i, first);
    v128.store(v + i, second);
    v128.store(p + i, f32x4.sub(f32x4.mul(parameter, decays), change));
  }
}

/** The sum of squares in float64: products are exact, and four sums of two lanes hide each other's latency. */
export function squares(g: usize, length: usize): f64 {
  let a = f64x2.splat(0);
  let b = f64x2.splat(0);
  let c = f64x2.splat(0);
  let d = f64x2.splat(0);
  const bytes = length << 2;
  for (let i: usize = 0; i < bytes; i += 32) {
    const left = v128.load(g + i);
    const right = v128.load(g + i, 16);
    const left01 = f64x2.promote_low_f32x4(left);
    const left23 = f64x2.promote_low_f32x4(v128.shuffle<i64>(left, left, 1, 0));
    const right01 = f64x2.promote_low_f32x4(right);
    const right23 = f64x2.promote_low_f32x4(v128.shuffle<i64>(right, right, 1, 0));
    a = f64x2.add(a, f64x2.mul(left01, left01));
    b = f64x2.add(b, f64x2.mul(left23, left23));
    c = f64x2.add(c, f64x2.mul(right01, right01));
    d = f64x2.add(d, f64x2.mul(right23, right23));
  }
  const sum = f64x2.add(f64x2.add(a, b), f64x2.add(c, d));
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** target += source */
export function add(target: usize, source: usize, length: usize): void {
  const bytes = length << 2;
  for (let i: usize = 0; i < bytes; i += 16) {
    v128.store(target + i, f32x4.add(v128.load(target + i), v128.load(source + i)));
  }
}
