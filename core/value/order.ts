/** Places in `keys` (whole numbers) ordered by key, then by place; those whose key is negative left out. */
export const sortedPlaces = (keys: Float64Array): Float64Array => {
  let low = Infinity;
  let high = 0;
  let count = 0;
  for (let i = 0; i < keys.length; i++) {
    const key = keys[i] as number;
    if (key < 0) continue;
    count++;
    if (key < low) low = key;
    if (key > high) high = key;
  }
  const order = new Float64Array(count);
  const scale = keys.length;
  // Key and place in one number, where both fit: numbers alone are sorted ten times as fast as with a function that compares.
  const fits = (high - low + 1) * scale <= Number.MAX_SAFE_INTEGER;
  let at = 0;
  for (let i = 0; i < keys.length; i++)
    if ((keys[i] as number) >= 0) order[at++] = fits ? ((keys[i] as number) - low) * scale + i : i;
  if (!fits) return order.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b);
  order.sort();
  for (let i = 0; i < count; i++) order[i] = (order[i] as number) % scale;
  return order;
};
