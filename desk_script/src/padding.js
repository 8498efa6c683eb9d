// The lengths to which texts and cards are padded before they are encrypted, in bytes.
// The service does the same (app/services/concerns/sealing.py).
export const LEAST_TEXT = 1024;
export const LEAST_CARD = 512; // also of a label
const LARGEST_STEP = 4096;

// Return the padded length: `least`, or the next power of two up to the largest step, or a multiple of that step.
export function paddedLength(length, least = LEAST_TEXT) {
  const step = Math.min(Math.max(least, 2 ** Math.ceil(Math.log2(length))), LARGEST_STEP);
  return Math.ceil(length / step) * step;
}
