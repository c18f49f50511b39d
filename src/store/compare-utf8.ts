/**
 * The store's key order. UTF-8 bytes order strings by code point; JavaScript's `<` orders them by
 * UTF-16 unit, which puts U+E000..U+FFFF after the characters above U+FFFF.
 */

/** Negative, zero or positive as `left` sorts before, with or after `right` as UTF-8 bytes. */
export function compareUtf8(left: string, right: string): number {
  const length = Math.min(left.length, right.length);
  for (let index = 0; index < length; index++) {
    const leftUnit = left.charCodeAt(index);
    const rightUnit = right.charCodeAt(index);
    if (leftUnit !== rightUnit) return rank(leftUnit) - rank(rightUnit);
  }
  return left.length - right.length;
}

/** Moves surrogates (halves of characters above U+FFFF) behind every other unit. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}
